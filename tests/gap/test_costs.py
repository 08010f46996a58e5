"""What not knowing costs, from figures that the audit has."""

from __future__ import annotations

import pytest

from crmaudit.gap import costs
from crmaudit.gap.guidance import CostRule
from crmaudit.report import Metric
from crmaudit.text import NO_BREAK

FIGURES = {
    "a.exposed": Metric(10_000, "money"),
    "a.lapsed": Metric(-500.0, "money"),
    "a.unknown_pct": Metric(20.0, "pct"),
    "a.known_pct": Metric(80.0, "pct"),
    "k.churn_pct": Metric(10.0, "pct"),
    "k.revenue_churn_pct": Metric(6.0, "pct"),
    "w.win_pct": Metric(20.0, "pct", low=15.0, high=25.0),
    "k.nothing": Metric(None, "pct"),
}


def priced(**rule: object) -> costs.Cost:
    return costs.price(CostRule.model_validate({"means": "what it is", **rule}), FIGURES, "EUR", {"a": "Alpha"})


def said(cost: costs.Cost) -> tuple[str, str]:
    return cost.said.replace(NO_BREAK, " "), cost.formula.replace(NO_BREAK, " ")


def test_amount_times_the_range_of_several_rates() -> None:
    cost = priced(amount="a.exposed", rates=["k.churn_pct", "k.revenue_churn_pct"])
    assert (cost.low, cost.high) == (600, 1000)
    assert said(cost) == ("600–1,000 EUR a year", "10,000 EUR × 6.0–10.0 % = 600–1,000 EUR")


def test_one_rate_gives_its_interval() -> None:
    cost = priced(amount="a.exposed", unknown="a.unknown_pct", rates=["w.win_pct"])
    assert (cost.low, cost.high) == (300, 500)
    assert said(cost)[1] == "10,000 EUR × 20.0 % × 15.0–25.0 % = 300–500 EUR"


def test_what_is_known_is_taken_off() -> None:
    assert priced(amount="a.exposed", known="a.known_pct", rates=["k.churn_pct"]).high == pytest.approx(200)


def test_without_rates_the_cost_lies_between_nothing_and_the_amount() -> None:
    cost = priced(amount="a.lapsed")
    assert (cost.low, cost.high) == (0, 500)
    assert said(cost) == ("up to 500 EUR a year", "500 EUR × 0.0–100.0 % = up to 500 EUR")


def test_of_several_rates_one_may_be_absent() -> None:
    assert priced(amount="a.exposed", rates=["k.nothing", "k.churn_pct"]).high == 1000


@pytest.mark.parametrize(
    ("rule", "lacking"),
    [
        ({"amount": "a.gone"}, "\u201cGone\u201d of \u201cAlpha\u201d"),
        ({"amount": "a.exposed", "rates": ["k.nothing"]}, "\u201cNothing\u201d of \u201cK\u201d"),
        (
            {"amount": "a.exposed", "unknown": "k.nothing", "rates": ["w.win_pct"]},
            "\u201cNothing\u201d of \u201cK\u201d",
        ),
    ],
)
def test_a_figure_that_is_absent_is_named_and_nothing_invented(rule: dict[str, object], lacking: str) -> None:
    cost = priced(**rule)
    assert (cost.low, cost.high, cost.said) == (None, None, "")
    assert cost.formula == f"Not put in money: that takes {lacking}, which these exports do not tell."


def test_without_a_rule_there_is_no_price() -> None:
    assert costs.price(None, FIGURES, "EUR", {"a": "Alpha"}).formula.startswith("Not put in money")
