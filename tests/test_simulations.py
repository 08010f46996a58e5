"""How often methods and whole analyses are right about bases whose truth is known; few here, 400 in the long run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest

from tests.simulations import competitors, intervals, whole, worth

MANY, FEW = 400, 8
WITHOUT_CONTRACT = {name: partial(worth.without_contract, leaving=name) for name in worth.LEAVING}
BASES: dict[str, Callable[[int], worth.Outcome | None]] = {**WITHOUT_CONTRACT, "contract": worth.under_contract}
few_and_many = pytest.mark.parametrize("runs", [FEW, pytest.param(MANY, marks=pytest.mark.full)])


planted = cache(whole.names_what_is_planted)


@cache
def outcomes(one: Callable[[int], worth.Outcome | None], runs: int) -> list[worth.Outcome]:
    found = [one(seed) for seed in range(1000, 1000 + runs)]
    known = [outcome for outcome in found if outcome]
    assert len(known) > 0.95 * runs
    return known


def holds(share: float, runs: int) -> bool:
    """92 to 98 %, with what chance adds in so few runs."""
    slack = 0.0 if runs >= MANY else 3 * (0.05 * 0.95 / runs) ** 0.5 - 0.03
    return 0.92 - slack <= share <= 0.98 + slack


@few_and_many
@pytest.mark.parametrize("name", BASES)
def test_the_worth_that_comes_lies_in_its_interval(name: str, runs: int) -> None:
    found = outcomes(BASES[name], runs)
    assert holds(sum(o.is_held for o in found) / len(found), runs)
    # One in ten contracts or more runs to the end of the horizon, which is then the upper end: nothing lies above it.
    most = 0.995 if name == "contract" else 0.985
    assert 0.92 <= sum(o.each_held for o in found) / len(found) <= most
    assert 0.95 < sum(o.worth for o in found) / sum(o.came for o in found) < 1.05


@few_and_many
@pytest.mark.parametrize("name", WITHOUT_CONTRACT)
def test_as_many_are_active_as_the_model_says(name: str, runs: int) -> None:
    found = outcomes(WITHOUT_CONTRACT[name], runs)
    assert sum(o.active for o in found) == pytest.approx(sum(o.truly_active for o in found), rel=0.05)


# A steadier rhythm is taken for a longer stay: 16 % too many are told to be there. `churn_risk` says so where it finds
# customers to buy so steadily, and how many there are if that is allowed for.
TOO_MANY = pytest.mark.xfail(strict=True, reason="16 % too many, not 15 %")
STEADIER = [
    ("BG/NBD", FEW),
    pytest.param("BG/NBD", MANY, marks=pytest.mark.full),
    ("MBG/NBD", FEW),
    pytest.param("MBG/NBD", MANY, marks=[pytest.mark.full, TOO_MANY]),
    pytest.param("Pareto/NBD", FEW, marks=TOO_MANY),
    pytest.param("Pareto/NBD", MANY, marks=[pytest.mark.full, TOO_MANY]),
]


@pytest.mark.parametrize(("name", "runs"), STEADIER)
def test_and_nearly_as_many_where_customers_buy_more_steadily_than_it_says(name: str, runs: int) -> None:
    found = outcomes(partial(worth.without_contract, leaving=name, regular=2), runs)
    assert sum(o.active for o in found) == pytest.approx(sum(o.truly_active for o in found), rel=0.15)


@few_and_many
@pytest.mark.parametrize("name", WITHOUT_CONTRACT)
def test_as_many_are_active_as_is_told_where_the_rhythm_is_allowed_for(name: str, runs: int) -> None:
    """Within 5 % where they leave as the model of it says, else within 15."""
    found = [worth.on_a_rhythm(seed, name) for seed in range(1000, 1000 + runs)]
    known = [pair for pair in found if pair]
    assert len(known) > 0.5 * runs
    told, true = (sum(values) for values in zip(*known, strict=True))
    assert told == pytest.approx(true, rel=0.05 if name == "MBG/NBD" else 0.15)


@pytest.mark.parametrize("runs", [MANY // 4, pytest.param(10 * MANY, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", intervals.QUICK)
def test_an_interval_holds_what_it_names(name: str, runs: int) -> None:
    assert holds(sum(intervals.QUICK[name](seed) for seed in range(runs)) / runs, runs)


@pytest.mark.parametrize("runs", [2 * FEW, pytest.param(MANY, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", intervals.SLOW)
def test_so_does_one_that_takes_its_time(name: str, runs: int) -> None:
    assert holds(sum(intervals.SLOW[name](seed) for seed in range(runs)) / runs, runs)


@pytest.mark.parametrize("runs", [1, pytest.param(MANY, marks=pytest.mark.full)])
def test_a_base_of_noise_raises_no_alarm(runs: int) -> None:
    """In the long run at most one in twenty does."""
    alarms = sum(whole.raises_an_alarm(seed) for seed in range(1000, 1000 + runs))
    assert alarms <= 0.05 * runs


@pytest.mark.full
@pytest.mark.parametrize("audit_id", ["service_and_loss", "journey_end"])
def test_a_ticket_that_kills_is_named(audit_id: str) -> None:
    assert sum(planted(seed)[audit_id][0] for seed in range(1000, 1000 + MANY)) >= 0.95 * MANY


@pytest.mark.full
@pytest.mark.parametrize("audit_id", whole.PLANTED)
def test_what_is_not_planted_is_named_at_most_at_the_stated_rate(audit_id: str) -> None:
    assert sum(planted(seed)[audit_id][1] for seed in range(1000, 1000 + MANY)) <= 0.05 * MANY


@pytest.mark.parametrize("runs", [4, pytest.param(MANY, marks=pytest.mark.full)])
def test_three_lost_deals_never_make_a_worst_competitor(runs: int) -> None:
    found = [competitors.three_lost_deals_make_a_worst(seed) for seed in range(1000, 1000 + runs)]
    assert not any(worst for worst, _ in found)
    assert sum(noise for _, noise in found) <= 0.05 * runs


@pytest.mark.parametrize("runs", [4, pytest.param(MANY, marks=pytest.mark.full)])
def test_a_competitor_who_starts_to_win_is_named_and_others_at_the_stated_rate(runs: int) -> None:
    found = [competitors.names_who_starts_to_win(seed) for seed in range(1000, 1000 + runs)]
    assert sum(rising for rising, _ in found) >= 0.9 * runs
    assert sum(others for _, others in found) <= 0.05 * runs
