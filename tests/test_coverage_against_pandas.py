"""The percentages of the chapter know on real exports, counted once more from the files themselves with pandas.

Nothing here reads our tables: each figure is what somebody would count who opened the files. They lie where
`test_real_data` says; without them these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from crmaudit import analysis
from crmaudit.catalogue import audits_of
from tests.command import crmaudit
from tests.test_real_data import DATA

Figures = Mapping[str, float | str]
Read = Callable[[str], pd.DataFrame]

COMPANY_FIELDS, PERSON_FIELDS = 11, 6
"""name, address, telephone, region, segment, origin; of companies also role, domain, industry, owner and size."""
ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def pct(holds: pd.Series) -> float:
    return float(100 * holds.mean())


def complete(frame: pd.DataFrame, fields: list[str], of: int) -> float:
    """Share of filled fields, those that no file has counted as empty."""
    return float(100 * frame[fields].notna().sum().sum() / (of * len(frame)))


def first(rows: pd.DataFrame, by: list[str]) -> pd.Series:
    """The origin of each account's earliest row that has one."""
    return rows.dropna(subset=["lead_source"]).sort_values(by).groupby("account_id")["lead_source"].first()


def top_share(revenue: pd.Series, origin: pd.Series) -> float:
    """Of the revenue of those whose origin is known."""
    by_origin = revenue.groupby(origin.reindex(revenue.index)).sum()
    return float(100 * by_origin.max() / by_origin.sum())


def maven_crm(read: Read) -> Figures:
    """Every one of the 85 accounts has won a deal; no file says where a customer came from or who owns it."""
    accounts = read("accounts.csv")
    return {
        "profile_completeness.profile_completeness_pct": complete(
            accounts, ["account", "sector", "employees", "office_location"], COMPANY_FIELDS
        )
    }


def complyflow(read: Read) -> Figures:
    """Leads name no account: the deal they led to does. The window is the year up to the last deal won."""
    deals, leads, accounts = read("opportunities.csv"), read("leads.csv"), read("accounts.csv")
    won = deals[deals["stage"] == "Closed Won"]
    customers = pd.Index(won["account_id"].unique())
    led = leads.merge(deals[["lead_id", "account_id"]], on="lead_id")
    origin = first(led, ["created_at", "lead_id"]).combine_first(first(deals, ["created_date", "opp_id"]))
    origin = origin.reindex(customers)
    lately = won[won["close_date"].between("2025-06-24", "2026-06-23")]
    revenue = lately["amount"].astype(float).groupby(lately["account_id"]).sum()
    profile = accounts[accounts["account_id"].isin(customers)].assign(origin=lambda a: a["account_id"].map(origin))
    return {
        "lead_origin.customers_with_known_origin_pct": pct(origin.notna()),
        "lead_origin.origins": origin.nunique(),
        "lead_origin.without_origin": int(origin.isna().sum()),
        "lead_origin.top_origin_revenue_share_pct": top_share(revenue, origin),
        "lead_origin.unknown_amount": float(revenue[origin.reindex(revenue.index).isna()].sum()),
        "profile_completeness.profile_completeness_pct": complete(
            profile, ["company_name", "segment", "industry", "region", "origin"], COMPANY_FIELDS
        ),
    }


def churnguard(read: Read) -> Figures:
    accounts = read("salesforce_accounts.csv")
    fields = ["company_name", "region", "industry", "company_size", "account_owner"]
    return {"profile_completeness.profile_completeness_pct": complete(accounts, fields, COMPANY_FIELDS)}


def ravenstack(read: Read) -> Figures:
    """Each account has a subscription and is a customer; the last of them begins on the last day of 2024."""
    accounts, tickets = read("ravenstack_accounts.csv"), read("ravenstack_support_tickets.csv")
    lately = tickets[tickets["submitted_at"].between("2024-01-01", "2024-12-31")]
    scored = lately["satisfaction_score"].notna()
    return {
        "lead_origin.customers_with_known_origin_pct": pct(accounts["referral_source"].notna()),
        "lead_origin.origins": accounts["referral_source"].nunique(),
        "profile_completeness.profile_completeness_pct": complete(
            accounts, ["account_name", "industry", "country", "referral_source"], COMPANY_FIELDS
        ),
        "voice_captured.interactions_with_voice_pct": pct(scored),
        "voice_captured.customers_heard_pct": 100 * lately.loc[scored, "account_id"].nunique() / len(accounts),
    }


def p5_saas_journey(read: Read) -> Figures:
    """Customers are the users with an invoice. Tickets are of nobody we know, and of an earlier year."""
    users, bills = read("users.csv"), read("revenue.csv")
    buyers = users[users["customer_id"].isin(bills["customer_id"])].set_index("customer_id")
    lately = bills[bills["revenue_date"].between("2025-09-01", "2026-08-31")]
    revenue = lately["amount"].astype(float).groupby(lately["customer_id"]).sum().sort_values(ascending=False)
    before = revenue.cumsum().shift(fill_value=0.0)
    a_customers = revenue[revenue >= revenue[before < 0.8 * revenue.sum()].min()]
    seen = pd.concat(
        [
            users.set_index("customer_id")["signup_date"],
            bills.set_index("customer_id")["revenue_date"],
        ]
    )
    latest = seen.groupby(level=0).max()
    return {
        "contact_reachability.accounts_with_email_pct": pct(buyers["email"].str.contains(ADDRESS)),
        "contact_reachability.accounts_with_two_plus_emails_pct": 0,
        "contact_reachability.contacts_without_email_pct": pct(~users["email"].str.contains(ADDRESS, na=False)),
        "contact_reachability.contacts_without_phone_pct": 100,
        "lead_origin.customers_with_known_origin_pct": pct(buyers["acquisition_channel"].notna()),
        "lead_origin.origins": buyers["acquisition_channel"].nunique(),
        "lead_origin.top_origin_revenue_share_pct": top_share(revenue, buyers["acquisition_channel"]),
        "profile_completeness.profile_completeness_pct": complete(
            buyers, ["email", "country", "acquisition_channel"], PERSON_FIELDS
        ),
        "relationship_depth.a_customers_multi_contact_pct": 0,
        "relationship_depth.single_threaded_a_customers": len(a_customers),
        "relationship_depth.single_threaded_revenue": float(a_customers.sum()),
        "stale_records.stale": int((latest <= "2024-08-31").sum()),
        "stale_records.bounced": 0,
    }


def flowstack(read: Read) -> Figures:
    """Every customer has a subscription. The last one begins on the as-of date; tickets run into the future."""
    customers, tickets = read("customers.csv"), read("support_tickets.csv")
    lately = tickets[tickets["ticket_created_date"].between("2025-11-17", "2026-11-16")]
    rated = lately["customer_rating"].notna()
    return {
        "lead_origin.customers_with_known_origin_pct": pct(customers["acquisition_channel"].notna()),
        "lead_origin.origins": customers["acquisition_channel"].nunique(),
        "profile_completeness.profile_completeness_pct": complete(
            customers, ["company_name", "industry", "region", "acquisition_channel", "manager_id"], COMPANY_FIELDS
        ),
        "voice_captured.interactions_with_voice_pct": pct(rated),
        "voice_captured.customers_heard_pct": 100 * lately.loc[rated, "customer_id"].nunique() / len(customers),
    }


def fivetran_seeds(read: Read) -> Figures:
    """People of four systems, each id once, without agents and who is deleted; meetings and calls of a year."""
    agents = read("zendesk/user_data.csv").query("role in ('agent', 'admin')")["id"]
    users = pd.concat([read("zendesk/user_data.csv"), read("zendesk/user_data_snowflake.csv")]).drop_duplicates("id")
    stripe = read("stripe/customer_data.csv")
    people = pd.concat(
        [
            read("hubspot/contact_data.csv").rename(columns={"property_email": "email", "property_jobtitle": "title"}),
            read("salesforce/sf_contact_data.csv"),
            stripe[stripe["is_deleted"].str.lower() != "true"],
            users[~users["id"].isin(agents)],
        ]
    )
    digits = people["phone"].fillna("").str.replace(r"\D", "", regex=True).str.len()
    return {
        "contact_reachability.contacts_without_email_pct": pct(~people["email"].str.contains(ADDRESS, na=False)),
        "contact_reachability.contacts_without_phone_pct": pct(digits < 6),
        "contact_roles.contacts_with_role_pct": 0,
        "contact_roles.contacts_with_title_pct": pct(people["title"].notna()),
        "stale_records.bounced": 0,
    }


FOLDERS = (maven_crm, complyflow, churnguard, ravenstack, p5_saas_journey, flowstack, fivetran_seeds)


@pytest.mark.parametrize("count", FOLDERS, ids=lambda count: count.__name__)
def test_what_is_known_is_what_pandas_counts(
    count: Callable[[Read], Figures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = DATA / count.__name__
    if not exports.is_dir():
        pytest.skip(f"{exports} is not there")
    expected = count(lambda name: pd.read_csv(exports / name, dtype=str, low_memory=False))
    asked = {name.split(".")[0] for name in expected}
    monkeypatch.setattr(analysis, "audits_of", lambda _=(): tuple(a for a in audits_of() if a.id in asked))
    assert crmaudit("analyze", exports, "--out", tmp_path / "audit", "--quiet").code == 0
    told = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    results = {result["id"]: result for result in told["audits"]}
    found = {name: results[name.split(".")[0]]["metrics"][name.split(".")[1]]["value"] for name in expected}
    assert found == {name: pytest.approx(value, rel=1e-5) for name, value in expected.items()}
