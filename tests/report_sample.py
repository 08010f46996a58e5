"""A report made by hand: every status, level, unit and kind of chart, one long table, and, if asked, hostile words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from crmaudit import text
from crmaudit.report import (
    Chart,
    Exclusion,
    Finding,
    Method,
    Metric,
    Missing,
    Report,
    Result,
    Source,
    Table,
    TableColumn,
)

COMPANIES = (
    "Hartmann Logistik",
    "Vela Optics",
    "Brightwater Foods",
    "Nordkap Energi",
    "Osei & Sons",
    "Delacroix Imprimerie",
    "Kestrel Instruments",
    "Banca di Lucca",
    "Tanaka Seiki",
    "Moss & Finch",
    "Aurelia Health",
    "Pilgrim Freight",
)


def sample() -> Report:
    """A small B2B company's audit as of 30 June 2025; figures are invented and fit together where they meet."""
    audits = (*_know(), *_win(), *_value(), *_engage(), *_serve(), *_keep())
    statuses = [audit.status for audit in audits]
    return Report(
        crmaudit="0.1.0",
        as_of="2025-06-30",
        window={"start": "2024-07-01", "end": "2025-06-30"},
        currency="EUR",
        grain="account",
        setting="hybrid",
        comparisons=214,
        sources=_sources(),
        audits=audits,
        summary={
            **{name: statuses.count(name) for name in ("answered", "partial", "unanswerable", "failed")},
            "findings_by_level": {"act": 4, "watch": 4, "good": 2, "info": 2},
        },
        findings=(
            Finding(
                "invoices_off",
                "act",
                "quickbooks/invoices.csv: 3 rows could not be read and were set apart.",
                value_at_stake=4210.5,
            ),
            Finding("future_dates", "watch", "hubspot/deals.csv: 12 closed deals are dated after the as-of date."),
        ),
    )


def column(name: str, unit: str, label: str = "") -> TableColumn:
    return TableColumn(name, unit, label or text.name(name))


def table(name: str, title: str, columns: str, rows: list[tuple[Any, ...]], total: int | None = None) -> Table:
    """`columns` as `name:unit` words."""
    made = tuple(column(*word.split(":")) for word in columns.split())
    return Table(name, title, made, tuple(rows), len(rows) if total is None else total)


def _know() -> tuple[Result, ...]:
    people = table(
        "reach",
        "Addresses by account",
        "customer:text emails:n bounced:n preferred:text consent_on:date reachable:bool share_pct:pct",
        [
            (
                f"{COMPANIES[i % 12]} {i // 12 + 1}",
                i % 5,
                i % 2,
                None if i % 3 else "phone",
                f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}",
                bool(i % 5),
                i * 0.5,
            )
            for i in range(200)
        ],
        12_345,
    )
    systems = table(
        "matched",
        "Matched records by system",
        "system:text rule:text records:n",
        [
            (s, r, n)
            for i, s in enumerate(("Stripe", "Zendesk", "HubSpot activities"))
            for r, n in (
                ("explicit id", 900 - 200 * i),
                ("e-mail", 420 + 50 * i),
                ("domain", 130),
                ("name", 41 - 9 * i),
            )
        ],
    )
    return (
        Result(
            id="identity_resolution",
            chapter="know",
            title="One customer in every system",
            question="Is a customer the same customer in every system?",
            status="answered",
            why="Every later figure rests on it.",
            fix="Write the CRM's account id into the billing system.",
            headline="93.4 % of billing customers are known to the CRM; 61 doubtful links wait for review.",
            metrics={
                "customers": Metric(1_284, "n", label="Customers"),
                "billing_matched_pct": Metric(93.4, "pct", 1_284, 91.9, 94.6, "up", label="Billing matched"),
                "unattributed_revenue": Metric(48_210.35, "money", 85, better="down", label="Unattributed revenue"),
                "tickets_matched_pct": Metric(88.02, "pct", 3_411, 86.9, 89.1, "up"),
            },
            tables=(systems,),
            charts=(
                Chart(
                    "stacked_bars",
                    "matched",
                    {"label": "system", "value": "records", "series": "rule"},
                    "Explicit ids carry most of the matching",
                    "Records by system, split by the rule that linked them.",
                ),
            ),
            methods=(Method("identity", ("Fellegi & Sunter (1969), A Theory for Record Linkage, JASA 64",)),),
        ),
        Result(
            id="contact_reachability",
            chapter="know",
            title="Reach",
            question="Can you reach each customer?",
            status="partial",
            reason="Bounces are known for 7 of the 12 months only.",
            bias="Addresses that bounced before December count as good, so the share is too high.",
            headline="Four of five accounts have a working address, most of them only one.",
            fix="Export bounces for the whole year.",
            metrics={
                "accounts_with_email_pct": Metric(80.1, "pct", 1_284, 77.8, 82.2, "up", label="Accounts with e-mail"),
                "emails_per_account_median": Metric(1, "n", 1_284, label="Addresses per account, median"),
            },
            findings=(
                Finding(
                    "no_address",
                    "watch",
                    "256 customers cannot be reached by e-mail; 14 of them are A customers.",
                    256,
                    "reach",
                    412_080.0,
                ),
            ),
            tables=(people,),
            missing=(Missing("contacts", "bounced_on", "HubSpot: contacts, property Email hard bounce date"),),
        ),
        _gap(
            "consent",
            "know",
            "Consent",
            "Do you respect what people opted into?",
            Missing("contacts", "opted_out_on", "HubSpot: contacts, property Opted out date"),
        ),
    )


def _gap(id_: str, chapter: str, title: str, question: str, *missing: Missing) -> Result:
    names = ", ".join(f"{lacking.table}.{lacking.column}" for lacking in missing)
    return Result(
        id=id_,
        chapter=chapter,
        title=title,
        question=question,
        status="unanswerable",
        reason=f"No export fills {names}.",
        fix="Add the column to the export and run the audit again.",
        missing=missing,
    )


def _win() -> tuple[Result, ...]:
    rivals = table(
        "by_competitor",
        "Win rate by competitor",
        "competitor:text deals:n won:n win_rate_pct:pct low_pct:pct high_pct:pct lost_value:money "
        "trend:ratio q:p base_pct:pct",
        [
            ("Northwind", 64, 14, 24.1, 15.8, 34.9, 318_400.0, 1.31, 0.012, 41.2),
            ("Contoso", 88, 33, 37.9, 28.7, 48.0, 291_050.5, 0.97, 0.61, 41.2),
            ("Fabrikam", 41, 18, 43.0, 30.1, 56.9, 88_120.0, 1.02, 0.88, 41.2),
            ("Litware International Holdings (formerly Proseware)", 9, 5, 46.2, 26.0, 67.6, 9_940.0, None, None, 41.2),
            ("no competitor named", 112, 58, 51.3, 42.2, 60.4, 120_300.0, 0.99, 0.74, 41.2),
        ],
    )
    months = table(
        "by_month",
        "Win rate by month of closing",
        "month:date win_rate_pct:pct low_pct:pct high_pct:pct deals:n",
        [
            (f"2024-{m:02d}-01" if m > 6 else f"2025-{m:02d}-01", 44 - i * 0.6, 31 - i * 0.5, 57 - i * 0.4, 24 + i % 3)
            for i, m in enumerate([7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6])
        ],
    )
    convert = table(
        "incidence",
        "Share converted by day",
        "day:days origin:text converted_pct:pct low_pct:pct high_pct:pct",
        [
            (
                d,
                o,
                round(k * (1 - 2 ** (-d / h)), 2),
                round(k * (1 - 2 ** (-d / h)) * 0.86, 2),
                round(k * (1 - 2 ** (-d / h)) * 1.14, 2),
            )
            for o, k, h in (("Referral", 31, 40), ("Webinar", 17, 70))
            for d in range(0, 361, 12)
        ],
    )
    scores = table(
        "calibration",
        "Score against outcome",
        "predicted_pct:pct actual_pct:pct low_pct:pct high_pct:pct leads:n",
        [
            (5, 4.1, 2.9, 5.8, 812),
            (15, 12.0, 9.6, 14.9, 540),
            (25, 26.8, 22.1, 32.0, 301),
            (40, 35.5, 28.7, 42.9, 169),
            (60, 48.8, 38.1, 59.6, 80),
            (80, 61.0, 44.5, 75.2, 36),
        ],
    )
    return (
        Result(
            id="win_rate",
            chapter="win",
            title="Win rate",
            question="What share of opportunities is won, and is it getting better?",
            status="answered",
            headline="You win 41.2 % of the deals you close, 3.4 points less than the year before.",
            metrics={
                "win_rate_pct": Metric(41.2, "pct", 314, 35.9, 46.7, "up", label="Win rate"),
                "created_cohort_win_rate_pct": Metric(33.6, "pct", 402, 28.8, 38.5, "up", "open deals included"),
                "win_rate_change_points": Metric(-3.4, "points", 640, -11.0, 4.2, "up", label="Change"),
                "sales_cycle_days_median": Metric(62, "days", 129, 55, 71, "down", label="Sales cycle, median"),
                "open_past_close_date": Metric(37, "n", 88, better="down", label="Open past their close date"),
                "first_won_on": Metric("2019-03-04", "date", label="First deal won"),
            },
            findings=(
                Finding("open_past_close", "act", "37 open deals are past their own close date.", 31, None, 268_900.0),
            ),
            tables=(months,),
            charts=(
                Chart(
                    "line",
                    "by_month",
                    {"x": "month", "y": "win_rate_pct", "low": "low_pct", "high": "high_pct"},
                    "The win rate has slipped month after month",
                    "Win rate by month with its 95 % interval.",
                ),
            ),
        ),
        Result(
            id="win_loss_by_competitor",
            chapter="win",
            title="Win/loss by competitor",
            question="To whom do you lose, beyond what chance explains?",
            status="answered",
            why="A competitor who starts to win shows here a quarter before it shows in revenue.",
            fix="Ask for the competitor at the proposal stage, on every deal, won or lost.",
            headline="Northwind wins three of four deals against you, and more each quarter.",
            metrics={
                "top_competitor_by_losses": Metric("Contoso", "text", label="Most losses to"),
                "top_competitor_lost_value": Metric(291_050.5, "money", 55, label="Lost to them"),
                "competitor_known_pct": Metric(71.9, "pct", 185, 65.0, 77.9, "up", label="Competitor known, of losses"),
            },
            findings=(
                Finding(
                    "northwind_rising",
                    "act",
                    "Northwind wins more and more often: 64 deals, 318,400 lost in the window.",
                    50,
                    "by_competitor",
                    318_400.0,
                ),
                Finding("no_competitor", "good", "Where no competitor is named you win every second deal.", 112),
            ),
            tables=(rivals,),
            charts=(
                Chart(
                    "interval_bars",
                    "by_competitor",
                    {
                        "label": "competitor",
                        "value": "win_rate_pct",
                        "low": "low_pct",
                        "high": "high_pct",
                        "n": "deals",
                        "reference": "base_pct",
                    },
                    "Only Northwind lies below your usual rate beyond chance",
                    "Win rate against each competitor with its 95 % interval; the dashed line is the rate over all.",
                ),
                Chart(
                    "scatter",
                    "by_competitor",
                    {"x": "win_rate_pct", "y": "lost_value", "size": "deals"},
                    "The money is lost to two of them",
                    "Win rate against lost value, one point for each competitor.",
                ),
            ),
            methods=(
                Method(
                    "rates",
                    ("Robinson (2017), Introduction to Empirical Bayes", "Efron & Morris (1977), Stein's Paradox"),
                    {"alpha": 9.31, "beta": 13.2},
                    -411.882,
                    (
                        {"model": "beta-binomial", "log_likelihood": -411.882, "parameters": 2},
                        {"model": "one rate", "log_likelihood": -418.4, "parameters": 1},
                    ),
                ),
            ),
        ),
        Result(
            id="time_to_convert",
            chapter="win",
            title="Time to convert",
            question="How many days from qualified lead to new customer?",
            status="answered",
            headline="Half of those who will buy within a year have bought after 58 days.",
            metrics={
                "median_days": Metric(58, "days", 1_902, 51, 66, "down"),
                "naive_median_days": Metric(34, "days", 311, note="too short: leaves out everybody who still waits"),
            },
            tables=(convert,),
            charts=(
                Chart(
                    "curve_with_band",
                    "incidence",
                    {"x": "day", "y": "converted_pct", "low": "low_pct", "high": "high_pct", "series": "origin"},
                    "Referrals convert twice as often, and sooner",
                    "Share converted by day since qualification.",
                ),
            ),
            methods=(Method("time_to_event", ("Aalen & Johansen (1978), Scand. J. Statist. 5",)),),
        ),
        Result(
            id="lead_scoring",
            chapter="win",
            title="Lead score",
            question="Does the lead score predict who buys?",
            status="answered",
            headline="The score ranks leads well (AUC 0.74) and promises too much at the top.",
            metrics={
                "auc": Metric(0.741, "ratio", 1_938, 0.712, 0.769, "up", label="AUC"),
                "lift_top_decile": Metric(3.12, "ratio", 194, 2.4, 3.9, "up"),
            },
            tables=(scores,),
            charts=(
                Chart(
                    "calibration",
                    "calibration",
                    {
                        "predicted": "predicted_pct",
                        "actual": "actual_pct",
                        "n": "leads",
                        "low": "low_pct",
                        "high": "high_pct",
                    },
                    "High scores promise more than they keep",
                    "Predicted against actual conversion in six classes.",
                ),
            ),
        ),
        Result(
            "rep_integrity",
            "win",
            "Level playing field",
            "Is the playing field tilted?",
            "failed",
            reason="ZeroDivisionError in rates.py, line 41. Please report it.",
        ),
    )


def _value() -> tuple[Result, ...]:
    lorenz = table(
        "lorenz",
        "Cumulative shares",
        "customers_pct:pct revenue_pct:pct",
        [(float(i), round(100 * (i / 100) ** 4.1, 3)) for i in range(0, 101, 5)],
    )
    parts = table(
        "parts",
        "From last year's revenue to this year's",
        "part:text amount:money total:bool",
        [
            ("Revenue, year before", 6_214_300.0, True),
            ("New customers", 812_400.0, False),
            ("Reactivated", 96_150.5, False),
            ("Larger orders", 214_009.5, False),
            ("Fewer orders", -402_880.0, False),
            ("Lapsed", -598_120.0, False),
            ("Revenue, this year", 6_335_860.0, True),
        ],
    )
    cohorts = table(
        "cohorts",
        "Share active by cohort and age",
        "cohort:text month:n active_pct:pct",
        [
            (f"2024-{c + 1:02d}", a, round(100 * 0.86**a + 2 * (c % 3), 1) if a else 100.0)
            for c in range(12)
            for a in range(13 - c)
        ],
    )
    sizes = table(
        "sizes",
        "Order size",
        "from_amount:money until_amount:money orders:n",
        [(i * 250.0, (i + 1) * 250.0, int(900 * 0.8**i) + 3) for i in range(16)],
    )
    ranking = table(
        "classes",
        "Revenue by class",
        "class:text revenue:money",
        [("A", 5_071_220.25), ("B", 948_900.0), ("C", 315_739.75)],
    )
    return (
        Result(
            id="customer_concentration",
            chapter="value",
            title="Concentration",
            status="answered",
            question="How different are customers from one another?",
            headline="The top decile brings 64.9 % of the revenue.",
            metrics={
                "revenue": Metric(6_335_860.0, "money", 1_284, better="up", label="Revenue"),
                "gini": Metric(0.72, "ratio", 1_284, 0.70, 0.74),
            },
            tables=(lorenz, sizes),
            charts=(
                Chart(
                    "lorenz",
                    "lorenz",
                    {"x": "customers_pct", "y": "revenue_pct"},
                    "Few customers carry the revenue",
                    "Cumulative share of revenue against cumulative share of customers.",
                ),
                Chart(
                    "histogram",
                    "sizes",
                    {"x": "from_amount", "x_end": "until_amount", "value": "orders"},
                    "Most orders are small",
                    "Number of orders by size.",
                ),
            ),
        ),
        Result(
            id="abc_ranking",
            chapter="value",
            title="A, B and C customers",
            status="answered",
            question="Who are your A, B and C customers?",
            headline="148 A customers bring four fifths of the revenue.",
            tables=(ranking,),
            charts=(
                Chart(
                    "bars",
                    "classes",
                    {"label": "class", "value": "revenue"},
                    "A customers carry the business",
                    "Revenue in the window by class.",
                ),
            ),
        ),
        Result(
            id="period_change",
            chapter="value",
            title="What changed",
            status="answered",
            question="What changed between this period and the one before?",
            headline="Revenue rose by 1.96 %: new customers more than made up for those who lapsed.",
            metrics={"revenue_change": Metric(121_560.0, "money", 1_511, better="up", label="Change in revenue")},
            findings=(
                Finding(
                    "lapsed", "watch", "211 customers lapsed who spent 598,120 the year before.", 211, None, 598_120.0
                ),
            ),
            tables=(parts,),
            charts=(
                Chart(
                    "waterfall",
                    "parts",
                    {"label": "part", "value": "amount", "total": "total"},
                    "New customers made up for the lapsed",
                    "From last year's revenue to this year's, in steps.",
                ),
            ),
        ),
        Result(
            id="cohort_evolution",
            chapter="value",
            title="Cohorts as they age",
            status="answered",
            question="How does a cohort behave as it ages?",
            headline="After a year one customer in five is still active.",
            tables=(cohorts,),
            charts=(
                Chart(
                    "heatmap",
                    "cohorts",
                    {"x": "month", "y": "cohort", "value": "active_pct"},
                    "Each cohort fades alike",
                    "Share active by month since the first purchase.",
                ),
            ),
        ),
    )


def _engage() -> tuple[Result, ...]:
    return (
        Result(
            id="best_customer_contact",
            chapter="engage",
            title="Contact with the best",
            status="answered",
            question="How long since someone had a meaningful conversation with your best customers?",
            headline="38 of 148 A customers have heard from nobody in 90 days.",
            metrics={
                "a_customers_silent_90d": Metric(38, "n", 148, better="down", label="A customers silent for 90 days"),
                "a_customers_days_since_conversation_median": Metric(41.5, "days", 148, better="down"),
            },
            findings=(
                Finding(
                    "silent_a", "act", "38 A customers have had no conversation in 90 days.", 38, None, 1_204_300.0
                ),
                Finding("mail_only", "info", "For 12 of them the last contact was a campaign.", 12),
            ),
        ),
        _gap(
            "email_engagement",
            "engage",
            "E-mail engagement",
            "Who receives, opens, clicks, unsubscribes, and which content?",
            Missing("campaign_touches", "opened_at", "HubSpot: marketing e-mail events"),
            Missing("campaign_touches", "clicked_at", "HubSpot: marketing e-mail events"),
        ),
    )


def _serve() -> tuple[Result, ...]:
    return (
        Result(
            id="resolution_time",
            chapter="serve",
            title="Time to resolve",
            status="answered",
            question="How long from an issue until it is resolved?",
            headline="Half of the issues are resolved within 26 hours.",
            metrics={
                "median_hours": Metric(26.2, "hours", 3_411, 24.9, 27.8, "down"),
                "hazard_p": Metric(0.0004, "p", 3_411),
                "nothing_known": Metric(None, "pct", 0),
            },
            findings=(
                Finding("fast_enough", "good", "Resolution is 12 % faster than the year before."),
                Finding("old_tickets", "watch", "19 tickets have been open for more than 30 days.", 17),
            ),
        ),
        _gap(
            "satisfaction",
            "serve",
            "Satisfaction",
            "How satisfied are they, and who answers?",
            Missing("survey_responses", "score", "Zendesk: satisfaction ratings"),
        ),
    )


def _keep() -> tuple[Result, ...]:
    return (
        Result(
            id="retention",
            chapter="keep",
            title="Retention",
            status="answered",
            question="What share of customers leaves?",
            headline="14.1 % of customers left, 1.2 points more than before.",
            metrics={
                "customer_churn_pct": Metric(14.1, "pct", 1_311, 12.3, 16.1, "down", label="Customer churn"),
                "change_points": Metric(1.2, "points", 2_580, -1.5, 3.9, "down", label="Change"),
            },
            findings=(Finding("churn_up", "watch", "Churn is 1.2 points up, within what chance explains.", 185),),
        ),
        Result(
            id="churn_risk",
            chapter="keep",
            title="Who is going",
            status="answered",
            question="Who is probably already gone, or going?",
            headline="1,052 of 1,284 customers are expected to be active.",
            metrics={"expected_active_customers": Metric(1_052, "n", 1_284, 1_011, 1_090, "up")},
            findings=(Finding("at_risk", "info", "166 customers are at risk; 24 have a renewal within 90 days.", 166),),
            methods=(
                Method(
                    "buy_till_you_die",
                    (
                        "Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way",
                        "Batislam, Denizel & Filiztekin (2007), MBG/NBD",
                    ),
                    {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
                    -9582.133,
                    (
                        {"model": "MBG/NBD", "log_likelihood": -9582.133, "expected_active": 1058},
                        {"model": "BG/NBD", "log_likelihood": -9582.429, "expected_active": 1917},
                        {"model": "Pareto/NBD", "log_likelihood": -9594.976, "expected_active": 1052},
                    ),
                    {"weeks": 39, "error_pct": 6.1},
                ),
            ),
        ),
    )


def _sources() -> tuple[Source, ...]:
    return (
        Source(
            "hubspot/companies.csv",
            None,
            "hubspot",
            "accounts",
            1_302,
            1_284,
            0,
            18,
            (Exclusion("merged by key", 18),),
            "2019-01-04",
            "2025-06-28",
            {"Record ID": "accounts.account_id", "Company name": "accounts.name"},
            ("Twitter handle", "Favourite colour"),
            0.97,
            ("header matches 21 of 24 columns",),
        ),
        Source(
            "hubspot/deals.csv",
            None,
            "hubspot",
            "opportunities",
            1_214,
            1_202,
            0,
            12,
            (Exclusion("dated after the as-of date", 12, 88_400.0),),
            "2021-02-01",
            "2025-06-30",
            {"Deal ID": "opportunities.opportunity_id"},
            (),
            0.99,
            (),
            ("The last line has no newline at its end.",),
        ),
        Source(
            "quickbooks/invoices.xlsx",
            "Sheet1",
            "quickbooks",
            "invoices",
            9_410,
            9_395,
            3,
            12,
            (Exclusion("void", 12, 4_100.0),),
            "2018-11-02",
            "2025-06-30",
            {"No.": "invoices.invoice_id"},
            ("Memo",),
            0.91,
            (),
            (),
            ({"currency": "SEK", "rows": 4, "amount": 120_400.0},),
        ),
        Source("zendesk/tickets.json", None, "zendesk", "tickets", 3_500, 3_411, 0, 88),
        Source("misc/notes.csv", None, "generic", None, 40, 0, 0, 40, (Exclusion("not recognised", 40),)),
    )


_KEYS = frozenset({"status", "level", "unit", "kind", "table", "chapter", "grain", "setting", "better", "roles"})


def with_words(report: Report, change: Callable[[str], str]) -> Report:
    """The report with every free text changed; what is a key or one of a few fixed words stays."""
    changed: Report = _changed(report, change)
    return changed


def _changed(value: Any, change: Callable[[str], str], name: str = "") -> Any:
    if isinstance(value, str):
        return value if name in _KEYS else change(value)
    if isinstance(value, tuple):
        return tuple(_changed(one, change, name) for one in value)
    if isinstance(value, dict):
        if name in ("metrics", "roles"):
            return {key: _changed(inner, change) for key, inner in value.items()}
        return {change(key): _changed(inner, change) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"name"} if isinstance(value, Table | TableColumn) else set()
        return replace(
            value,
            **{
                one.name: _changed(getattr(value, one.name), change, one.name)
                for one in fields(value)
                if one.name not in kept and one.name not in _KEYS
            },
        )
    return value
