"""Real exports that nobody here wrote, from file to figure: what is published or counted of them is what is reported.

They lie in a folder `shared` beside the checkout, or where CRMAUDIT_SHARED says; without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crmaudit import analysis
from crmaudit.catalogue import audits_of
from crmaudit.querying import open_locked
from tests.command import ROOT, crmaudit

DATA = Path(os.environ.get("CRMAUDIT_SHARED", ROOT.parent / "shared")) / "data"


@dataclass(frozen=True)
class Case:
    """One folder, what it is analyzed with, and what must come out."""

    name: str
    audits: tuple[str, ...]
    """Those that are run; the others would only take time."""
    metrics: Mapping[str, Any]
    """`audit.metric` -> value; None where there must be none."""
    findings: tuple[str, ...] = ()
    """Words that a finding of the data or of an audit says."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """File -> words of one of its notes."""
    rows: Mapping[str, Any] = field(default_factory=dict)
    """SELECT -> its first value."""
    flags: tuple[str, ...] = ("--window", "all")
    files: tuple[str, ...] = ()
    """The files that are analyzed; all where none is named."""
    settings: str = ""
    """A crmaudit.toml beside those files."""


CASES = (
    Case(
        "maven_crm",
        ("win_rate", "abc_ranking"),
        {
            "win_rate.won": 4238,
            "win_rate.lost": 2473,
            "win_rate.win_rate_pct": pytest.approx(63.15, abs=0.005),
            "win_rate.win_rate_of_all_pct": pytest.approx(48.16, abs=0.005),
            "win_rate.won_value": 10005534,
            "win_rate.sales_cycle_days_mean": pytest.approx(51.8, abs=0.05),
            "win_rate.open_deals": 1589 + 500,
            "abc_ranking.a_customers": 59,
            "abc_ranking.b_customers": 18,
            "abc_ranking.c_customers": 8,
        },
        findings=("1,480 of 8,800 deals: products lead nowhere (such as GTXPro)", "1,425 of 2,089"),
        rows={
            "select customer from abc_ranking.ranking limit 1": "Kan-code",
            "select revenue_amount::integer from abc_ranking.ranking limit 1": 341455,
        },
    ),
    # The default as-of date is the last purchase, a deal won on 23 June 2026. One deal was lost on the day after: the
    # audit looks no further than its as-of date and counts 2,712 closed deals of the 2,713, and says so.
    Case(
        "complyflow",
        ("win_rate", "time_to_convert", "lead_funnel"),
        {
            "win_rate.won": 787,
            "win_rate.lost": 1925,
            "win_rate.won_value": 1747564.66,
            "time_to_convert.naive_median_days": 24,
            "lead_funnel.leads_without_origin": 191,
        },
        findings=("191 leads have no origin", "7 of 13,180 other dated facts lie after the as-of date"),
        rows={
            "select count(*) from opportunities where outcome in ('won', 'lost')": 2713,
            "select count(*) from opportunities where outcome = 'lost' and closed_on = date '2026-06-24'": 1,
            "select count(*) from opportunities where closed_on > date '2026-06-24' and outcome <> 'open'": 0,
            "select as_of_on::varchar from periods where period = 'current'": "2026-06-23",
            "select sum(mrr) from subscriptions where status = 'active'": pytest.approx(131206.70),
        },
    ),
    Case(
        "complyflow",
        ("outcome_distributions",),
        {"outcome_distributions.experiment_arms": 4},
        flags=("--as-of", "2026-07-31"),
        rows={
            "select cases || ' of ' || subjects || ', ' || control_cases || ' of ' || control_subjects "
            "from outcome_distributions.read_outs where arm = 'treatment'": "47 of 185, 61 of 160",
        },
    ),
    Case(
        "complyflow",
        ("win_rate",),
        {
            "win_rate.won": 787,
            "win_rate.lost": 1926,
            "win_rate.win_rate_pct": pytest.approx(100 * 787 / 2713, rel=1e-5),
        },
        flags=("--window", "all", "--as-of", "2026-06-30"),
        files=("accounts.csv", "opportunities.csv"),
    ),
    Case(
        "flowstack",
        ("resolution_time",),
        {"resolution_time.all_tickets": 12537 - 2225},
        findings=("2,225 of 12,537 tickets are dated after the as-of date: they are set aside",),
        notes=dict.fromkeys(
            ("account_managers.csv", "customers.csv", "subscriptions.csv", "support_tickets.csv"),
            "created_at: a load stamp",
        ),
        rows={
            "select count(*) from subscriptions where lower(status) = 'active'": 4098,
            "select count(*) from subscriptions where lower(status) = 'cancelled'": 477,
            "select count(*) from subscriptions where lower(status) = 'expired'": 425,
            "select count(*) from tickets": 12537,
            "select count(*) from tickets where opened_at >= timestamp '2026-07-01'": 2225,
            "select count(*) from accounts where created_on = date '2026-07-25'": 0,
        },
        flags=("--window", "all", "--as-of", "2026-06-30"),
    ),
    Case(
        "ravenstack",
        ("retention",),
        {
            "retention.all_mrr": 11338747,
            "retention.open_mrr": 10159608,
            "retention.flagged_as_churned": 110,
            "retention.with_churn_event": 352,
            "retention.flagged_with_event": 75,
        },
        findings=("1,077 of 2,000 tickets are older than their customer's record", "The exports disagree on who left"),
        rows={"select count(*) from churn_events": 600, "select count(*) from usage": 25000},
    ),
    Case(
        "p5_saas_journey",
        ("identity_resolution", "retention"),
        {"identity_resolution.tickets_matched_pct": 0, "retention.all_mrr": 280198},
        findings=("970 of 970 tickets: customers lead nowhere", "Only 0.0 % of 970 tickets join with a customer"),
        notes={"support_tickets.csv": "none of 970 sampled ids is among the 2000 contacts loaded"},
        rows={"select count(*) from tickets where party_id is not null": 0, "select count(*) from invoices": 3012},
    ),
    Case(
        "cdnow",
        ("abc_ranking", "customer_concentration", "cohort_evolution"),
        {
            "abc_ranking.revenue": 2500315.63,
            "customer_concentration.customers": 23570,
            "customer_concentration.revenue": 2500315.63,
            "customer_concentration.one_time_buyers_pct": pytest.approx(100 * 12054 / 23570, abs=0.001),
            "cohort_evolution.cohort_customers": 23570,
            "cohort_evolution.no_second_purchase_yet_pct": pytest.approx(100 * 12054 / 23570, abs=0.001),
        },
        rows={
            "select count(*) from invoices": 69659,
            "select sum(revenue) from customers where period = 'current'": pytest.approx(2500315.63, abs=0.001),
            "select count(*) from customers where period = 'current'": 23570,
            "select count(*) from customers where period = 'current' and purchases = 1": 12054,
            "select count(*) from parties": 23570,
        },
        files=("CDNOW_master.txt",),
        settings="[customers]\nhistory_is_complete = true\n",
    ),
)


def value(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    found = con.execute(query).fetchall()[0][0]
    return found if isinstance(found, int | str) else float(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join((case.name, *case.flags[2:])))
def test_real_exports(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = DATA / case.name
    if not exports.is_dir():
        pytest.skip(f"{exports} is not there")
    if case.files:
        exports = tmp_path / case.name
        exports.mkdir()
        for name in case.files:
            shutil.copy(DATA / case.name / name, exports)
        (exports / "crmaudit.toml").write_text(case.settings, encoding="utf-8")
    wanted = tuple(a for a in audits_of() if a.id in case.audits or a.chapter == "data")
    monkeypatch.setattr(analysis, "audits_of", lambda _=(): wanted)
    ran = crmaudit("analyze", exports, "--out", tmp_path / "audit", "--quiet", *case.flags)
    assert (ran.code, ran.out, ran.err) == (0, "", "")

    told = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    results = {result["id"]: result for result in told["audits"]}
    found = {name: results[name.split(".")[0]]["metrics"][name.split(".")[1]]["value"] for name in case.metrics}
    assert found == dict(case.metrics)

    said = [finding["text"].replace("\u00a0", " ") for part in (told, *told["audits"]) for finding in part["findings"]]
    for words in case.findings:
        assert any(words in text for text in said), f"{words!r} is not among {said}"

    for source in told["sources"]:
        assert source["rows_read"] == source["rows_loaded"] + source["rows_rejected"] + source["rows_excluded"]
        assert source["entity"] or source["exclusions"], f"{source['path']}: nobody says why it is not used"
    notes = {source["path"]: " ".join(source["notes"]) for source in told["sources"]}
    assert all(words in notes[path] for path, words in case.notes.items()), notes

    con = open_locked(tmp_path / "audit" / "audit.duckdb")
    try:
        assert {query: value(con, query) for query in case.rows} == dict(case.rows)
    finally:
        con.close()
