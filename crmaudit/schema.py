"""The canonical tables as data: every export is mapped onto these columns, and nothing else.

From this one description come the DDL, the README's table of columns, the casting of each value and the
choice of the dates that count as facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "bool", "number", "money", "date", "time"]
"""What a column holds; see `SQL_TYPES` for how it is stored."""

When = Literal["fact", "plan", "stamp"]
"""A date is a *fact* (it happened), a *plan* (due, expected, renewal) or a load *stamp*; only facts move the clock."""

SQL_TYPES: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "number": "DOUBLE",
    "money": "DECIMAL(18, 4)",
    "date": "DATE",
    "time": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """One canonical column: its name, what it holds, and for dates whether it is a fact or a plan."""

    name: str
    kind: Kind
    meaning: str
    when: When | None = None
    refers_to: str | None = None
    """The table whose key this column holds, for ids that link."""

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One canonical table; `key` is the column that identifies a row, absent where rows have none."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: str | None = None
    found_in: str = ""
    """The export in which it is usually found, for those who have to ask for it."""

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")

    @property
    def facts(self) -> tuple[Column, ...]:
        """The dated facts of the table, the most telling first."""
        return tuple(c for c in self.columns if c.when == "fact")


def _id(name: str, meaning: str, refers_to: str | None = None) -> Column:
    return Column(name, "id", meaning, refers_to=refers_to)


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning)


def _bool(name: str, meaning: str) -> Column:
    return Column(name, "bool", meaning)


def _number(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning)


def _money(name: str, meaning: str) -> Column:
    return Column(name, "money", meaning)


def _on(name: str, meaning: str, when: When = "fact") -> Column:
    return Column(name, "date", meaning, when)


def _at(name: str, meaning: str, when: When = "fact") -> Column:
    return Column(name, "time", meaning, when)


_PARTY = (
    _id("account_id", "the company, as this system names it", "accounts"),
    _id("contact_id", "the person, as this system names them", "contacts"),
    _text("account_name", "the company's name where it links by name"),
    _text("email", "the person's e-mail address where it links by e-mail"),
)
"""What ties a row to a party; every table that belongs to somebody has these four."""

_TABLES = (
    Table("accounts", "companies in the CRM, the billing system or the support desk", (
        _id("account_id", "the system's own id"),
        _text("name", "company name"),
        _text("domain", "web site or mail domain"),
        _text("email", "general address"),
        _text("phone", "telephone"),
        _text("tax_id", "tax or VAT number"),
        _text("segment", "size or market segment"),
        _text("industry", "industry or sector"),
        _text("region", "region or country"),
        _text("origin", "how the company came: source, channel, campaign"),
        _id("parent_id", "the company this one belongs to", "accounts"),
        _text("parent_name", "the parent's name where it links by name"),
        _id("owner_id", "account owner", "users"),
        _text("status", "customer, prospect, former ..."),
        _text("plan", "plan or tier"),
        _number("employees", "number of employees"),
        _money("annual_revenue", "the company's own turnover, or a contract value; never counted as revenue"),
        _on("created_on", "first seen in the CRM", "fact"),
        _on("customer_since_on", "day it became a customer", "fact"),
        _bool("is_churned", "flag that says it has left"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="account_id", found_in="the CRM's export of companies"),
    Table("contacts", "people", (
        _id("contact_id", "the system's own id"),
        _id("account_id", "the company they belong to", "accounts"),
        _text("account_name", "company name where it links by name"),
        _text("first_name", "given name"),
        _text("last_name", "family name"),
        _text("name", "whole name"),
        _text("email", "first e-mail address"),
        _text("other_emails", "further addresses"),
        _text("phone", "telephone"),
        _text("title", "job title"),
        _text("role", "role in the buying decision"),
        _text("preference", "how they want to be reached"),
        _text("note", "personal note; counted, never shown"),
        _text("origin", "how the person came"),
        _text("status", "active, bounced, left, deceased ..."),
        _text("region", "region or country"),
        _text("segment", "segment"),
        _text("plan", "plan or tier"),
        _id("owner_id", "owner", "users"),
        _bool("is_bounced", "mail to them bounces"),
        _bool("is_opted_out", "unsubscribed"),
        _on("created_on", "first seen", "fact"),
        _on("customer_since_on", "day they became a customer", "fact"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="contact_id", found_in="the CRM's export of contacts"),
    Table("leads", "people or companies that might buy", (
        _id("lead_id", "the system's own id"),
        *_PARTY,
        _text("name", "name of the lead"),
        _text("origin", "source, channel, campaign"),
        _text("segment", "segment"),
        _text("region", "region or country"),
        _text("status", "raw, qualified, disqualified, converted ..."),
        _id("owner_id", "owner", "users"),
        _number("score", "lead score"),
        _id("opportunity_id", "the opportunity it became", "opportunities"),
        _text("referred_by", "who referred it"),
        _on("created_on", "day the lead came", "fact"),
        _on("qualified_on", "day it was qualified", "fact"),
        _on("converted_on", "day it was converted in the CRM", "fact"),
        _on("disqualified_on", "day it was given up", "fact"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="lead_id", found_in="the CRM's export of leads"),
    Table("opportunities", "deals", (
        _id("opportunity_id", "the system's own id"),
        *_PARTY,
        _id("lead_id", "the lead it came from", "leads"),
        _text("name", "deal name"),
        _text("pipeline", "pipeline"),
        _text("kind", "new business, renewal, expansion ..."),
        _text("stage", "stage as the CRM names it"),
        _text("outcome", "won, lost or open, derived from the stage"),
        _money("amount", "deal value"),
        _text("currency", "ISO code"),
        _text("origin", "source, channel, campaign"),
        _text("segment", "segment"),
        _text("product", "product or plan"),
        _text("competitor", "competitor met"),
        _text("loss_reason", "why it was lost"),
        _id("owner_id", "owner", "users"),
        _on("created_on", "day the deal was opened", "fact"),
        _on("closed_on", "day it was won or lost", "fact"),
        _on("expected_close_on", "day it is expected to close", "plan"),
        _number("probability_pct", "probability of winning as the CRM has it"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="opportunity_id", found_in="the CRM's export of deals"),
    Table("stage_changes", "history of deal stages", (
        _id("opportunity_id", "the deal", "opportunities"),
        _text("stage", "stage entered"),
        _at("changed_at", "when the stage changed"),
        _id("owner_id", "who changed it", "users"),
        _on("expected_close_on", "expected close set then", "plan"),
    ), found_in="the CRM's stage or field history of deals"),
    Table("activities", "calls, meetings, mails, tasks, notes", (
        _id("activity_id", "the system's own id"),
        *_PARTY,
        _id("opportunity_id", "deal", "opportunities"),
        _id("lead_id", "lead", "leads"),
        _text("kind", "call, meeting, email, task, note ..."),
        _text("direction", "in or out"),
        _text("outcome", "outcome as recorded"),
        _text("subject", "subject"),
        _text("note", "what was said or written"),
        _id("owner_id", "our colleague", "users"),
        _at("happened_at", "when it took place"),
        _number("duration_minutes", "length"),
    ), key="activity_id", found_in="the CRM's export of calls, meetings, mails and notes"),
    Table("campaign_touches", "campaign mails and their opens, clicks, unsubscribes", (
        _id("touch_id", "the system's own id"),
        *_PARTY,
        _id("lead_id", "lead", "leads"),
        _text("campaign", "campaign"),
        _text("kind", "sent, delivered, open, click, bounce, unsubscribe"),
        _text("variant", "variant of an experiment"),
        _id("owner_id", "marketer", "users"),
        _at("happened_at", "when it was sent, opened or clicked"),
    ), key="touch_id", found_in="the mailing tool's export of sends, opens and clicks"),
    Table("consents", "opt-ins and opt-outs", (
        *_PARTY,
        _text("purpose", "newsletter, phone ..."),
        _bool("is_granted", "granted or withdrawn"),
        _on("changed_on", "day of the choice", "fact"),
    ), found_in="the mailing tool's export of opt-ins and opt-outs"),
    Table("products", "what is sold", (
        _id("product_id", "the system's own id"),
        _text("name", "product or plan name"),
        _text("family", "family or series"),
        _money("price", "list price"),
        _money("cost", "unit cost"),
    ), key="product_id", found_in="the price list of the billing system"),
    Table("invoices", "bills sent to customers", (
        _id("invoice_id", "the system's own id"),
        *_PARTY,
        _id("subscription_id", "subscription", "subscriptions"),
        _text("kind", "sale, credit note, bill (of a supplier)"),
        _text("status", "draft, open, paid, void, failed ..."),
        _money("amount", "gross amount"),
        _money("net_amount", "amount net of tax"),
        _money("tax_amount", "tax"),
        _money("paid_amount", "amount paid"),
        _money("open_amount", "amount still owed on the day of the export, after payments and credits"),
        _money("refunded_amount", "amount refunded"),
        _money("cost", "cost of what was sold"),
        _text("currency", "ISO code"),
        _text("product", "product or plan"),
        _number("quantity", "units"),
        _on("issued_on", "day of issue", "fact"),
        _on("due_on", "day due", "plan"),
        _on("paid_on", "day paid", "fact"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="invoice_id", found_in="the billing system's export of invoices"),
    Table("invoice_lines", "lines of invoices", (
        _id("line_id", "the system's own id"),
        _id("invoice_id", "invoice", "invoices"),
        _id("product_id", "product", "products"),
        _text("product", "product name"),
        _number("quantity", "units"),
        _money("amount", "line amount, net"),
        _money("cost", "line cost"),
    ), key="line_id", found_in="the billing system's export of invoice lines"),
    Table("payments", "money received or tried", (
        _id("payment_id", "the system's own id"),
        *_PARTY,
        _id("invoice_id", "invoice it settles", "invoices"),
        _text("status", "succeeded, failed, refunded ..."),
        _money("amount", "amount paid"),
        _money("refunded_amount", "amount refunded"),
        _money("fee", "fee"),
        _text("currency", "ISO code"),
        _text("product", "what it was for"),
        _on("paid_on", "day it was paid", "fact"),
    ), key="payment_id", found_in="the payment provider's export of payments"),
    Table("refunds", "money given back, credit notes", (
        _id("refund_id", "the system's own id"),
        *_PARTY,
        _id("invoice_id", "invoice", "invoices"),
        _id("payment_id", "payment", "payments"),
        _id("product_id", "product", "products"),
        _money("amount", "amount given back, positive"),
        _text("currency", "ISO code"),
        _text("reason", "why it was given back"),
        _on("refunded_on", "day it was given back", "fact"),
    ), key="refund_id", found_in="the billing system's export of credit notes and refunds"),
    Table("subscriptions", "recurring contracts", (
        _id("subscription_id", "the system's own id"),
        *_PARTY,
        _id("opportunity_id", "deal", "opportunities"),
        _id("product_id", "product or plan id", "products"),
        _text("plan", "plan"),
        _text("status", "active, cancelled, expired, trial, paused ..."),
        _money("mrr", "monthly recurring revenue"),
        _money("price", "price per billing period"),
        _number("discount_pct", "discount on the price, 0 to 100"),
        _number("quantity", "seats or units"),
        _text("currency", "ISO code"),
        _text("billing_period", "monthly, quarterly, annual ..."),
        _bool("is_trial", "a trial, nothing is paid"),
        _bool("is_churned", "flag that says it has ended"),
        _on("started_on", "first day of the contract", "fact"),
        _on("ended_on", "last day of the contract", "fact"),
        _on("renews_on", "next renewal", "plan"),
        _on("trial_ends_on", "last day of the trial", "plan"),
        _text("cancel_reason", "why it was cancelled"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="subscription_id", found_in="the billing system's export of subscriptions"),
    Table("subscription_changes", "movements of recurring revenue", (
        _id("change_id", "the system's own id"),
        *_PARTY,
        _id("subscription_id", "subscription", "subscriptions"),
        _text("kind", "new, expansion, contraction, churn, reactivation"),
        _money("amount", "change of MRR, or the MRR then where the export has that"),
        _on("changed_on", "day of the change", "fact"),
    ), key="change_id", found_in="the billing system's export of MRR movements"),
    Table("churn_events", "records that say a customer left", (
        _id("event_id", "the system's own id"),
        *_PARTY,
        _id("subscription_id", "subscription", "subscriptions"),
        _text("reason", "why they left"),
        _text("feedback", "why they left, in their own words"),
        _money("refunded_amount", "amount refunded"),
        _bool("is_reactivation", "they came back"),
        _on("churned_on", "day they left", "fact"),
    ), key="event_id", found_in="a list of customers who cancelled, with day and reason"),
    Table("experiments", "offers and experiments: who was given which variant, and what came of it", (
        _id("assignment_id", "the system's own id"),
        *_PARTY,
        _id("subscription_id", "subscription", "subscriptions"),
        _text("experiment", "experiment or offer"),
        _text("variant", "variant: treatment, control, A, B ..."),
        _text("treatment", "what this variant was given"),
        _text("outcome", "what came of it as recorded; empty while it is not known"),
        _on("assigned_on", "day of the assignment", "fact"),
    ), key="assignment_id", found_in="the list of who took part in an offer or experiment, with variant and day"),
    Table("tickets", "support requests", (
        _id("ticket_id", "the system's own id"),
        *_PARTY,
        _text("subject", "subject"),
        _text("description", "text of the request"),
        _text("category", "category, type or tag"),
        _text("priority", "priority"),
        _text("status", "open, solved, closed ..."),
        _id("agent_id", "agent", "users"),
        _at("opened_at", "when it was opened"),
        _at("first_response_at", "when it was first answered"),
        _at("resolved_at", "when it was solved"),
        _number("first_response_hours", "hours to the first answer, where the export has hours"),
        _number("resolution_hours", "hours to the solution, where the export has hours"),
        _number("reopens", "times reopened"),
        _number("satisfaction", "satisfaction as a number, as the export scales it"),
        _text("satisfaction_text", "satisfaction in words: good, bad ..."),
        _bool("is_escalated", "escalated"),
        _at("loaded_at", "load stamp of the warehouse", "stamp"),
    ), key="ticket_id", found_in="the support desk's export of tickets"),
    Table("survey_responses", "NPS, CSAT and other answers", (
        _id("response_id", "the system's own id"),
        *_PARTY,
        _text("kind", "nps, csat ..."),
        _number("score", "score given"),
        _text("comment", "comment in their own words"),
        _on("answered_on", "day of the answer", "fact"),
    ), key="response_id", found_in="the survey tool's export of answers"),
    Table("usage", "use of the product", (
        _id("usage_id", "the system's own id"),
        *_PARTY,
        _id("subscription_id", "subscription", "subscriptions"),
        _text("feature", "feature or event"),
        _number("quantity", "how much it was used"),
        _at("used_at", "when it was used"),
    ), key="usage_id", found_in="the product's usage log"),
    Table("spend", "what acquisition costs", (
        _text("origin", "channel or campaign"),
        _money("amount", "amount spent"),
        _text("currency", "ISO code"),
        _on("spent_on", "day or first day of the month", "fact"),
    ), found_in="a list of marketing and sales cost by month and channel"),
    Table("users", "our own people: owners, agents", (
        _id("user_id", "the system's own id"),
        _text("name", "name of the colleague"),
        _text("email", "address"),
        _text("team", "team, region or manager"),
        _bool("is_active", "still with us"),
    ), key="user_id", found_in="the CRM's export of users"),
    Table("exchange_rates", "rates to the report currency", (
        _text("currency", "ISO code"),
        _number("rate", "report currency per unit"),
        _on("valid_on", "day", "fact"),
    ), found_in="a list of exchange rates to the report currency"),
)

TABLES: dict[str, Table] = {table.name: table for table in _TABLES}
"""Every canonical table by name."""

PROVENANCE = (
    Column("system", "text", "the product the row was exported from"),
    Column("source_id", "id", "the source in `sources` the row came from"),
)
"""Columns that every canonical row has besides its own, so that a number can be traced to a file."""
