"""The example company: the same bytes for a seed, and the planted truths are in the raw exports, or not."""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from examples import company

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "examples" / "exports"
NAMES = sorted(path.stem for path in COMMITTED.glob("*.csv"))
Record = dict[str, str]
Exports = dict[str, list[Record]]

FACTS = {
    "crm_accounts": ("created_date", "customer_since"),
    "crm_contacts": ("created_date",),
    "crm_leads": ("created_date", "qualified_date", "converted_date", "disqualified_date"),
    "crm_opportunities": ("created_date", "close_date"),
    "billing_invoices": ("issue_date", "paid_date"),
    "support_tickets": ("created_at", "first_response_at", "resolved_at"),
    "crm_activities": ("activity_date",),
    "mailing_events": ("event_time",),
    "mailing_consents": ("changed_date",),
    "survey_answers": ("answered_date",),
    "service_offers": ("offered_on",),
    "marketing_costs": ("month",),
    "rental_subscriptions": ("start_date", "end_date"),
    "rental_changes": ("change_date",),
}
KEYS = {
    "crm_users": "user_id",
    "crm_accounts": "account_id",
    "crm_leads": "lead_id",
    "crm_opportunities": "opportunity_id",
    "rental_subscriptions": "subscription_id",
    "rental_changes": "change_id",
}
REFERENCES = (
    ("crm_accounts", "owner_id", "crm_users"),
    ("crm_contacts", "account_id", "crm_accounts"),
    ("crm_leads", "owner_id", "crm_users"),
    ("crm_leads", "opportunity_id", "crm_opportunities"),
    ("crm_opportunities", "account_id", "crm_accounts"),
    ("crm_opportunities", "lead_id", "crm_leads"),
    ("crm_opportunities", "owner_id", "crm_users"),
    ("billing_invoices", "external_id", "crm_accounts"),
    ("crm_activities", "account_id", "crm_accounts"),
    ("crm_activities", "owner_id", "crm_users"),
    ("survey_answers", "account_id", "crm_accounts"),
    ("rental_subscriptions", "account_id", "crm_accounts"),
    ("rental_changes", "subscription_id", "rental_subscriptions"),
    ("service_offers", "account_id", "crm_accounts"),
)
LATE = date(2025, 10, 1)
"""From then on the competitor rises."""
SILENT_FROM = date(2026, 3, 1)
"""Who has not bought since has left, near enough."""


def records(rows: Iterable[Iterable[str]]) -> list[Record]:
    """The rows below their header by column name, rows that came twice counted once."""
    header, *unique = dict.fromkeys(tuple(row) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in unique]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "exports"
    company.write(folder)
    return folder


@pytest.fixture(scope="module")
def planted(written: Path) -> Exports:
    found = {}
    for path in written.iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = records(csv.reader(file, strict=True))
    return found


@pytest.fixture(scope="module")
def calm() -> Exports:
    tables = company.tables(company.SEED, frozenset())
    return {name.removesuffix(".csv"): records(rows) for name, rows in tables.items()}


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def customer_accounts(found: Exports) -> dict[str, str]:
    """Billing's customer id to the CRM's account id: by the id that billing has, else e-mail, domain or exact name."""
    accounts = [row for row in found["crm_accounts"] if row["status"] == "Customer"]
    by_domain = {row["website"].removeprefix("www."): row["account_id"] for row in accounts}
    by_name = {row["account_name"]: row["account_id"] for row in accounts}
    by_email = {row["email"]: row["account_id"] for row in found["crm_contacts"] if row["email"]}
    linked = {}
    for row in found["billing_invoices"]:
        email = row["billing_email"]
        linked[row["customer_id"]] = (
            row["external_id"]
            or by_email.get(email)
            or by_domain.get(email.partition("@")[2])
            or by_name[row["customer_name"]]
        )
    return linked


def purchases(found: Exports) -> dict[str, list[date]]:
    """Account id to the days on which it bought."""
    linked = customer_accounts(found)
    bought = defaultdict(set)
    for row in found["billing_invoices"]:
        if row["type"] == "Invoice" and row["status"] not in {"Void", "Draft", "Failed"}:
            bought[linked[row["customer_id"]]].add(day(row["issue_date"]))
    return {account: sorted(days) for account, days in bought.items()}


def share(flags: Iterable[bool]) -> float:
    known = list(flags)
    return sum(known) / len(known)


def test_same_seed_gives_the_committed_bytes(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == [f"{name}.csv" for name in NAMES]
    for name in NAMES:
        assert (written / f"{name}.csv").read_bytes() == (COMMITTED / f"{name}.csv").read_bytes(), name


def test_command_line_takes_a_seed_and_calm(tmp_path: Path, calm: Exports) -> None:
    command = [sys.executable, str(ROOT / "examples" / "company.py"), str(tmp_path), "--seed", "12", "--calm"]
    subprocess.run(command, check=True)
    wanted = company.tables(12, frozenset())["crm_leads.csv"]
    with (tmp_path / "crm_leads.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == wanted
    assert records(wanted) != calm["crm_leads"]


def test_unknown_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no truth is called weather"):
        company.write(tmp_path, planted=["weather"])
    assert not any(tmp_path.iterdir())


def test_exports_are_small_and_as_many_as_promised(planted: Exports) -> None:
    assert sum(path.stat().st_size for path in COMMITTED.glob("*.csv")) < 5_000_000
    assert len(planted["crm_users"]) == 8
    assert len(planted["billing_products"]) == 50
    assert 3_800 < len(planted["crm_leads"]) < 4_200
    assert 2_800 < len(planted["crm_opportunities"]) < 3_200
    assert 1_400 < len(planted["crm_contacts"]) < 1_800
    assert 10_800 < len(planted["billing_invoices"]) < 12_700
    assert 2_700 < len(planted["support_tickets"]) < 3_600
    assert 550 < len(purchases(planted)) < 640
    assert 60 < len(planted["rental_subscriptions"]) < 110


def test_readme_counts_the_rows(planted: Exports) -> None:
    cells = [line.split("|") for line in (ROOT / "examples" / "README.md").read_text(encoding="utf-8").splitlines()]
    counted = {cell[1].strip(): int(cell[2].replace(",", "")) for cell in cells if len(cell) > 2 and ".csv" in cell[1]}
    assert counted == {f"{name}.csv": len(rows) for name, rows in planted.items()}


@pytest.mark.parametrize(("name", "columns"), FACTS.items())
def test_no_fact_is_later_than_the_end(planted: Exports, name: str, columns: tuple[str, ...]) -> None:
    latest = max(day(row[column]) for row in planted[name] for column in columns if row[column])
    assert latest <= company.END
    if name == "billing_invoices":
        assert latest == company.END


def test_dates_of_a_record_are_in_order(planted: Exports) -> None:
    for name in ("crm_leads", "crm_opportunities", "support_tickets"):
        for row in planted[name]:
            known = [row[column] for column in FACTS[name] if row[column]]
            assert known == sorted(known), row


def test_every_id_that_is_referred_to_exists(planted: Exports) -> None:
    ids = {name: {row[key] for row in planted[name]} for name, key in KEYS.items()}
    for name, column, target in REFERENCES:
        assert {row[column] for row in planted[name] if row[column]} <= ids[target], (name, column)


def test_keys_are_unique_once_rows_exported_twice_are_merged(planted: Exports) -> None:
    keys = KEYS | {"crm_contacts": "contact_id", "billing_invoices": "invoice_number", "support_tickets": "ticket_id"}
    for name, key in keys.items():
        assert len({row[key] for row in planted[name]}) == len(planted[name]), name


def test_billing_finds_its_customers_in_the_crm_by_id_email_domain_or_name(planted: Exports) -> None:
    linked = customer_accounts(planted)
    assert len(set(linked.values())) == len(linked)
    customers = {row["customer_id"]: row for row in planted["billing_invoices"]}
    assert 0.55 < share(bool(row["external_id"]) for row in customers.values()) < 0.65
    assert share(not row["billing_email"] for row in customers.values()) > 0.05


def test_mild_dirt_is_there(planted: Exports) -> None:
    statuses = Counter(row["status"] for row in planted["billing_invoices"])
    assert all(statuses[status] > 2 for status in ("Void", "Draft", "Failed", "Open", "Overdue")), statuses
    credited = [float(row["net_amount"]) for row in planted["billing_invoices"] if row["type"] == "Credit note"]
    assert len(credited) > 50
    assert max(credited) < 0
    assert 0.03 < share(not row["lead_source"] for row in planted["crm_leads"]) < 0.07
    names = Counter(row["account_name"].casefold() for row in planted["crm_accounts"])
    assert sum(count - 1 for count in names.values()) == 3
    past = [row for row in planted["crm_opportunities"] if not row["close_date"]]
    assert 10 < sum(day(row["expected_close_date"]) < company.END for row in past) < len(past)
    free = ("@gmail.com", "@outlook.com", "@yahoo.com")
    assert 0.02 < share(row["email"].endswith(free) for row in planted["crm_contacts"]) < 0.08
    for name, twice in {"crm_contacts": 4, "billing_invoices": 6, "support_tickets": 5}.items():
        lines = (COMMITTED / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert len(lines) - len(set(lines)) == twice, name


def loss_rises(found: Exports) -> dict[str, float]:
    """Competitor to the rise of the share of decided deals that are lost, from before LATE to since."""
    lost: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for row in found["crm_opportunities"]:
        if row["close_date"]:
            lost[row["competitor"], day(row["close_date"]) >= LATE].append(row["stage"] == "Closed Lost")
    return {name: share(lost[name, True]) - share(lost[name, False]) for name in company.COMPETITORS if name}


def test_one_competitor_starts_to_win(planted: Exports) -> None:
    rises = loss_rises(planted)
    assert rises.pop(company.RISING) > 0.2
    assert max(rises.values()) < 0.1


def test_calm_competitors_do_not_rise(calm: Exports) -> None:
    assert max(map(abs, loss_rises(calm).values())) < 0.1


def test_competitor_is_filled_alike_on_won_and_lost(planted: Exports) -> None:
    for stage in ("Closed Won", "Closed Lost"):
        rows = [row for row in planted["crm_opportunities"] if row["stage"] == stage]
        assert 0.82 < share(bool(row["competitor"]) for row in rows) < 0.88


def conversions(found: Exports, slow: bool) -> tuple[float, float]:
    """Median days from qualified to won, and the share won, of leads old enough to have come to an end."""
    deals = {row["opportunity_id"]: row for row in found["crm_opportunities"]}
    days, won = [], []
    for row in found["crm_leads"]:
        is_slow = row["lead_source"] == company.SLOW_ORIGIN
        if row["lead_source"] and row["qualified_date"] and row["created_date"] < "2025-06-30" and is_slow == slow:
            deal = deals.get(row["opportunity_id"])
            won.append(deal is not None and deal["stage"] == "Closed Won")
            if deal and won[-1]:
                days.append((day(deal["close_date"]) - day(row["qualified_date"])).days)
    return statistics.median(days), share(won)


def test_one_origin_converts_slowly_and_as_often(planted: Exports) -> None:
    (slow, slow_won), (quick, quick_won) = conversions(planted, slow=True), conversions(planted, slow=False)
    assert 2.3 < slow / quick < 3.7
    assert abs(slow_won - quick_won) < 0.04


def test_calm_origins_convert_alike(calm: Exports) -> None:
    (slow, slow_won), (quick, quick_won) = conversions(calm, slow=True), conversions(calm, slow=False)
    assert 0.85 < slow / quick < 1.15
    assert abs(slow_won - quick_won) < 0.04


def left_after(found: Exports) -> dict[str, float]:
    """Ticket category to the share of tickets of buying customers whose last purchase ever came within 90 days."""
    names = {row["account_name"]: row["account_id"] for row in found["crm_accounts"]}
    bought = purchases(found)
    left = defaultdict(list)
    for row in found["support_tickets"]:
        days = bought.get(names.get(row["organization"], ""), [])
        opened = day(row["created_at"])
        if days and opened < date(2025, 12, 1) and any(0 <= (opened - one).days < 45 for one in days):
            left[row["category"]].append((days[-1] - opened).days < 90 and days[-1] < SILENT_FROM)
    return {category: share(flags) for category, flags in left.items()}


def test_customers_leave_after_one_kind_of_ticket(planted: Exports) -> None:
    shares = left_after(planted)
    assert shares.pop(company.HARMFUL_CATEGORY) > 1.5 * max(shares.values())


def test_calm_tickets_are_all_alike(calm: Exports) -> None:
    shares = left_after(calm)
    assert max(shares.values()) < 1.8 * min(shares.values())
    assert shares[company.HARMFUL_CATEGORY] < 1.2 * statistics.median(shares.values())


def slowdowns(found: Exports) -> dict[str, float]:
    """Segment to purchases in the last year but one over those in the last, of customers who bought in both."""
    segments = {row["account_id"]: row["segment"] for row in found["crm_accounts"]}
    before, since = Counter[str](), Counter[str]()
    for account, days in purchases(found).items():
        early = [one for one in days if date(2024, 7, 1) <= one < date(2025, 7, 1)]
        late = [one for one in days if one >= date(2025, 7, 1)]
        if len(early) > 1 and days[-1] >= SILENT_FROM and early[0] < date(2024, 10, 1):
            before[segments[account]] += len(early)
            since[segments[account]] += len(late)
    return {segment: before[segment] / since[segment] for segment in before}


def test_one_segment_waits_longer(planted: Exports) -> None:
    ratios = slowdowns(planted)
    assert 1.35 < ratios.pop(company.SLOWING_SEGMENT) < 1.85
    assert max(ratios.values()) < 1.2


def test_calm_segments_keep_their_rhythm(calm: Exports) -> None:
    ratios = slowdowns(calm)
    assert max(ratios.values()) < 1.2
    assert min(ratios.values()) > 0.8


def test_truths_are_planted_one_by_one(tmp_path: Path, calm: Exports) -> None:
    company.write(tmp_path, planted=[company.COMPETITOR])
    with (tmp_path / "crm_opportunities.csv").open(encoding="utf-8", newline="") as file:
        rises = loss_rises({"crm_opportunities": records(csv.reader(file))})
    with (tmp_path / "support_tickets.csv").open(encoding="utf-8", newline="") as file:
        tickets = records(csv.reader(file))
    assert rises[company.RISING] > 0.2
    assert abs(len(tickets) - len(calm["support_tickets"])) < 0.03 * len(tickets)
