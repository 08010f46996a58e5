"""Every worked case of every audit, and the rules that every audit's file keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import ErrorLevel, exp

from crmaudit import catalogue
from crmaudit.audit_header import Block
from crmaudit.audits import Audit, read_models
from crmaudit.catalogue import audits_of
from crmaudit.errors import AuditFileError
from crmaudit.needs import models_read
from crmaudit.resources import folder
from tests.cases import Case, Page, faults, is_ordered, read_page

PAGES = {path.stem: read_page(path) for path in sorted((Path(__file__).parent / "audits").glob("*.md"))}
AUDITS = {audit.id: audit for audit in audits_of()}
MODELS = read_models(folder("queries") / "model")
READ = {id_: models_read((audit,), MODELS) for id_, audit in AUDITS.items()}

CASES = [
    pytest.param(page.audit, case, id=f"{page.audit}: {case.title}") for page in PAGES.values() for case in page.cases
]


@pytest.mark.parametrize(("audit", "case"), CASES)
def test_case(audit: str, case: Case, tmp_path: Path) -> None:
    assert faults(case, AUDITS[audit], READ[audit], tmp_path) == []


def test_every_audit_has_a_page_and_every_page_an_audit() -> None:
    assert PAGES.keys() == AUDITS.keys()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_page_says_what_is_asked_and_why(page: Page) -> None:
    assert PAGES[page.audit] is page
    assert len(page.text) > 100
    assert page.cases


CONTRACT = {
    "identity_resolution": "customers billing_matched_pct tickets_matched_pct activities_matched_pct "
    "events_attributed_pct unattributed_revenue",
    "contact_reachability": "accounts_with_email_pct emails_per_account_median accounts_with_two_plus_emails_pct "
    "contacts_without_email_pct contacts_without_phone_pct",
    "contact_roles": "accounts_with_decision_maker_pct accounts_with_influencer_pct contacts_with_role_pct",
    "relationship_depth": "a_customers_multi_contact_pct a_customers_multi_colleague_pct single_threaded_revenue",
    "lead_origin": "customers_with_known_origin_pct top_origin_revenue_share_pct origins",
    "contact_preferences": "contacts_with_preference_pct",
    "personal_notes": "contacts_with_personal_note_pct",
    "consent": "mailed_without_consent mailed_after_unsubscribe consent_known_pct",
    "stale_records": "stale_contacts_pct bounced_contacts_pct departed_contacts",
    "profile_completeness": "profile_completeness_pct completeness_gain_per_touch",
    "activity_capture": "activities_with_outcome_pct people_logging_nothing customers_without_activity_pct",
    "voice_captured": "interactions_with_voice_pct",
    "touch_cadence": "days_between_touches_median educational_share_pct touches_per_conversion",
    "best_customer_contact": "a_customers_days_since_conversation_median a_customers_silent_90d",
    "email_engagement": "open_rate_pct click_rate_pct unsubscribe_rate_pct hot_contacts",
    "referrals": "referred_customers_pct referred_revenue top_referrer",
    "customer_stories": "themes",
    "lead_scoring": "auc lift_top_decile scored_pct",
    "rep_integrity": "referral_skew end_of_quarter_share_pct close_date_pushes_per_deal",
    "vote_timeline": "events customers_with_events_pct momentum_down_a_customers",
    "advocates": "promoters nps promoter_heavy_overlap_pct reference_candidates supporters_not_customers",
    "satisfaction": "csat_pct response_rate_pct change_points",
    "duplicate_records": "duplicate_accounts duplicate_contacts duplicate_pct",
    "lead_funnel": "raw_to_qualified_pct qualified_to_opportunity_pct qualified_to_customer_pct qualified_open_pct "
    "qualified_to_customer_trend",
    "time_to_convert": "converted_in_90_days_pct converted_in_365_days_pct median_days naive_median_days",
    "win_rate": "win_rate_pct win_rate_by_value_pct created_cohort_win_rate_pct win_rate_change_points "
    "sales_cycle_days_median open_past_close_date",
    "win_loss_by_competitor": "top_competitor_by_losses top_competitor_lost_value worst_win_rate_competitor "
    "competitor_known_pct competitor_known_won_pct",
    "loss_reasons": "reason_known_pct top_loss_reason price_losses_pct",
    "acquisition_vs_base": "existing_revenue_pct new_revenue_pct cost_per_new_customer",
    "abc_ranking": "a_customers b_customers c_customers a_customers_pct b_customers_pct c_customers_pct a_revenue_pct "
    "moved_up moved_down",
    "customer_concentration": "top_decile_revenue_pct gini one_time_buyers_pct revenue_per_customer_mean "
    "revenue_per_customer_median below_mean_pct",
    "period_change": "retained new lapsed reactivated revenue_change",
    "cohort_evolution": "cohort_active_after_12m_pct cohort_revenue_retention_12m_pct never_second_purchase_pct",
    "cohort_comparison": "first_year_value_latest first_year_value_previous change_pct",
    "base_health": "revenue_from_cohorts_older_than_2y_pct active_customers active_customers_change_pct",
    "customer_value_trend": "up flat down too_short down_revenue",
    "lookalikes": "best_trait matching_prospects",
    "lifetime_value": "residual_value value_at_risk value_already_lost top_decile_residual_pct",
    "resolution_time": "median_hours first_response_hours_median open_tickets open_older_than_30d change_pct",
    "recurring_issues": "customers_with_open_issue repeat_customers repeat_share_pct top_recurring_category "
    "reopened_pct",
    "recency": "days_since_purchase_median overdue_customers overdue_a_customers overdue_revenue",
    "repurchase_rhythm": "days_between_purchases_median slowing_customers slowing_segments",
    "retention": "customer_churn_pct revenue_churn_pct change_points",
    "recurring_revenue": "mrr new_mrr expansion_mrr contraction_mrr churned_mrr reactivation_mrr nrr_pct grr_pct "
    "quick_ratio",
    "health_score": "score_median unhealthy_a_customers sudden_drops auc backtest_months",
    "journey_end": "top_ending_event days_until_noticed_median",
    "outcome_distributions": "approaches_observed experiment_arms decided",
    "next_actions": "actions value_covered",
    "loyalty": "loyal_customers loyal_revenue_pct loyal_unrecognised",
    "win_back": "lapsed_customers reactivation_rate_pct win_back_candidates win_back_value",
    "won_to_cash": "won_not_invoiced invoiced_not_won invoiced_not_paid agreeing_customers_pct",
    "payment_behaviour": "days_to_pay_median overdue_amount failed_payments slower_payers",
    "renewals_due": "renewals_30d renewals_90d renewals_90d_mrr renewals_at_risk_mrr",
    "products_and_returns": "refund_rate_pct most_returned_product",
    "engagement_and_sales": "association lag_days conversations_per_won_deal",
    "service_and_upsell": "expansion_after_good_pct expansion_after_bad_pct difference_points",
    "churn_risk": "expected_active_customers probably_gone at_risk_customers at_risk_revenue holdout_error_pct auc",
}
"""The figures that programs read by name: to be added to, never to be renamed."""

COMPETITORS = ("deals", "won", "lost", "win_rate_pct", "low_pct", "high_pct", "lost_value", "trend")
OWNERS = ("deals", "win_rate_pct", "adjusted_win_rate_pct", "low_pct", "high_pct", "best_segment")


@pytest.mark.parametrize("audit", CONTRACT)
def test_metrics_of_the_contract_are_there(audit: str) -> None:
    text = AUDITS[audit].metrics.sql
    named = {select.alias_or_name for select in sqlglot.parse_one(text, read="duckdb").selects}
    assert set(CONTRACT[audit].split()) <= named
    assert set(CONTRACT[audit].split()) <= AUDITS[audit].metric_rules.keys()


@pytest.mark.parametrize(
    ("audit", "table", "columns"),
    [("win_loss_by_competitor", "competitors", COMPETITORS), ("rep_performance", "owners", OWNERS)],
)
def test_columns_of_the_contract_are_there(audit: str, table: str, columns: tuple[str, ...]) -> None:
    block = next(b for b in AUDITS[audit].tables if b.name == table)
    named = {select.alias_or_name for select in sqlglot.parse_one(block.sql, read="duckdb").selects}
    assert set(columns) <= named


BLOCKS = [
    pytest.param(block, id=f"{audit.id}: {block.name}")
    for audit in AUDITS.values()
    for block in (*audit.tables, audit.metrics)
]
SELECTS = [
    *BLOCKS,
    *(pytest.param(Block(model.name, model.sql, 1), id=f"model: {model.name}") for model in MODELS),
    *(
        pytest.param(Block(model.name, model.sql, 1), id=f"identity: {model.name}")
        for model in read_models(folder("queries") / "identity")
    ),
]


@pytest.mark.parametrize("block", SELECTS)
def test_sql_can_be_carried_over_to_spark(block: Block) -> None:
    (sql,) = sqlglot.transpile(block.sql, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE)
    assert sql


def _is_seen(audit: Audit, block: Block) -> bool:
    """Whether a reader is shown the rows, or a method is given them."""
    return block.name not in audit.hidden or any(block.name == method.table for method in audit.methods)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{audit.id}: {block.name}")
        for audit in AUDITS.values()
        for block in (*audit.tables, audit.metrics)
        if _is_seen(audit, block)
    ],
)
def test_rows_are_in_an_order_of_their_own(block: Block) -> None:
    assert block.name == "metrics" or is_ordered(block.sql) or _is_one_row(block.sql)


def _is_one_row(sql: str) -> bool:
    """Aggregates of everything: no grouping, and no column that stands outside an aggregate."""
    query = sqlglot.parse_one(sql, read="duckdb")
    return query.args.get("group") is None and all(
        column.find_ancestor(exp.AggFunc, exp.Filter) is not None
        for select in query.selects
        for column in select.find_all(exp.Column)
    )


def test_rule_of_order_is_kept_by_nobody_who_forgets_it() -> None:
    assert not is_ordered("select a from b")
    assert not _is_one_row("select a, sum(b) from c group by a")
    assert not _is_one_row("select a from b")
    assert _is_one_row("select coalesce(sum(b), 0) from c")


@pytest.mark.parametrize("name", ["customers", "invoices", "settings", "contract_survival"])
def test_table_that_would_hide_another_is_refused(name: str, tmp_path: Path) -> None:
    _write_audit(tmp_path, f"-- /// table {name}\nselect 1 as one\n")
    with pytest.raises(AuditFileError, match=rf"own\.sql:9: `{name}` is a table that audits read"):
        audits_of([tmp_path])
    with pytest.raises(AuditFileError, match=f"`{name}` is a table"):
        catalogue.check(tmp_path)


def test_two_blocks_of_one_name_are_refused(tmp_path: Path) -> None:
    _write_audit(tmp_path, "-- /// table own\nselect 1 as one\n-- /// table own\nselect 2 as two\n")
    with pytest.raises(AuditFileError, match="there is a block own already"):
        audits_of([tmp_path])


def _write_audit(place: Path, tables: str) -> None:
    header = "".join(f'-- {name} = "Text"\n' for name in ("title", "question", "why", "fix", "headline"))
    (place / "win").mkdir()
    (place / "win" / "own.sql").write_text(f"-- /// audit\n{header}-- ///\n{tables}-- /// metrics\nselect 1 as n\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("## A case\nGiven `invoices`\n| a |\n|---|\n| 1 |\n", "nothing is expected"),
        ("## A case\nThen `metrics`\nwords\n", "wants a table"),
        ("## A case\nThen `metrics`\n| a | b |\n|---|---|\n| 1 |\n", "has 1 cells, not 2"),
        ("## A case\nThen `metrics`\n| a |\n|---|\n\n| b |\n|---|\n", "follows neither"),
        ("## A case\nThen `metrics`\n| a | b |\n|---|---|\n| {1..2} | {1..3} |\n", "two ranges"),
    ],
)
def test_page_that_would_test_nothing_is_refused(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"# page\n{text}")
    with pytest.raises(ValueError, match=fault):
        read_page(path)


def test_case_that_is_wrong_is_told(tmp_path: Path) -> None:
    path = tmp_path / "abc_ranking.md"
    path.write_text(
        "# abc_ranking\n## Two faults\nGiven `invoices`\n| account_id | issued_on | net_amount |\n|---|---|---|\n"
        "| a | 2025-01-10 | 10 |\nThen `metrics`\n| a_customers | b_customers |\n|---|---|\n| 2 | |\n"
        "Then `ranking`\n| customer |\n|---|\n"
    )
    (case,) = read_page(path).cases
    assert faults(case, AUDITS["abc_ranking"], READ["abc_ranking"], tmp_path) == [
        "metrics: row 1: a_customers is 1 instead of '2'",
        "metrics: row 1: b_customers is 0 instead of None",
        "ranking: 1 rows instead of 0: [('a',)]",
    ]


def test_models_that_an_audit_reads_are_enough_and_no_more() -> None:
    names = {model.name for model in READ["loss_reasons"]}
    assert {"deals", "clock", "periods", "setting"} <= names
    assert not {"purchase_histories", "contract_curve", "issues"} & names
    assert {model.name for model in models_read(AUDITS.values(), MODELS)} == {model.name for model in MODELS}


def test_days_of_a_curve_are_whole_numbers() -> None:
    """Of a column of days neither name nor type says so: it would be shown as 2.00."""
    curved = [
        a
        for a in AUDITS.values()
        if any("curve" in c.gives and c.gives["curve"].name not in a.hidden for c in a.methods)
    ]
    assert curved
    assert {a.id for a in curved if a.units.get("day") != "n"} == set()
