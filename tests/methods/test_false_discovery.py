from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmaudit.methods import false_discovery

Families = dict[str, list[float | None]]

# The 15 p-values of Benjamini & Hochberg 1995, section 2.
PUBLISHED = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip

p_values = st.one_of(
    st.none(), st.floats(0, 1), st.floats(0, 0.01), st.sampled_from([0.01, 0.02, 0.05, 0.5, 1.0]), st.just(float("nan"))
)
families = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.lists(p_values, max_size=6), max_size=6)


def known_of(p: Sequence[float | None]) -> list[float]:
    return [v for v in p if v is not None and not np.isnan(v)]


def test_benjamini_hochberg_1995() -> None:
    q = false_discovery.benjamini_hochberg(PUBLISHED)
    assert sum(v is not None and v <= 0.05 for v in q) == 4
    assert sum(p <= 0.05 / 15 for p in PUBLISHED) == 3


def step_up(p: list[float], level: float) -> list[bool]:
    """Benjamini-Hochberg word for word, to hold the adjusted values against."""
    largest = max((k for k, value in enumerate(sorted(p), 1) if value <= level * k / len(p)), default=0)
    return [value <= (sorted(p)[largest - 1] if largest else -1) for value in p]


def selected_word_for_word(given_families: Families, level: float) -> dict[str, list[bool]]:
    """Benjamini & Bogomolov 2014, section 3.1, as it is written there."""
    known = {name: known_of(p) for name, p in given_families.items() if known_of(p)}
    simes = {name: min(v * len(p) / k for k, v in enumerate(sorted(p), 1)) for name, p in known.items()}
    chosen = dict(zip(simes, step_up(list(simes.values()), level) if simes else [], strict=True))
    share = sum(chosen.values()) / max(len(known), 1)
    return {name: step_up(p, level * share) if chosen[name] else [False] * len(p) for name, p in known.items()}


@settings(max_examples=40, deadline=None)
@given(given_families=families, level=st.sampled_from([0.0123, 0.0497, 0.0503, 0.1001, 0.317, 0.7003]))
def test_a_q_below_any_level_is_exactly_a_selection_at_that_level(given_families: Families, level: float) -> None:
    expected = selected_word_for_word(given_families, level)
    for name, q in false_discovery.control(given_families).items():
        known = [v for v in q if v is not None]
        # On the very edge rounding decides, and the two ways round differently.
        if not any(abs(v - level) < 1e-9 for v in known):
            assert [v <= level for v in known] == expected.get(name, [])


@settings(max_examples=40, deadline=None)
@given(given_families=families)
def test_none_and_nan_stay_none_and_the_rest_lies_between_p_and_1(given_families: Families) -> None:
    for name, q in false_discovery.control(given_families).items():
        for adjusted, p in zip(q, given_families[name], strict=True):
            if p is None or np.isnan(p):
                assert adjusted is None
            else:
                assert adjusted is not None
                assert p <= adjusted + 1e-12
                assert adjusted <= 1


@settings(max_examples=40, deadline=None)
@given(given_families=families, seed=st.integers(0, 99))
def test_order_of_families_and_of_tests_is_irrelevant(given_families: Families, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = false_discovery.control(given_families)
    places = {name: rng.permutation(len(p)).tolist() for name, p in given_families.items()}
    shuffled = {name: [given_families[name][k] for k in places[name]] for name in reversed(given_families)}
    again = false_discovery.control(shuffled)
    for name, place in places.items():
        assert again[name] == tuple(found[name][k] for k in place)


@settings(max_examples=40, deadline=None)
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_benjamini_hochberg_agrees_with_scipy_and_keeps_the_order(p: list[float]) -> None:
    q = np.array(false_discovery.benjamini_hochberg(p), dtype=np.float64)
    assert q == pytest.approx(stats.false_discovery_control(p))
    order = np.argsort(p)
    assert (np.diff(q[order]) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(given_families=families)
def test_within_a_family_a_smaller_p_has_no_larger_q(given_families: Families) -> None:
    for name, q in false_discovery.control(given_families).items():
        known = sorted(zip(known_of(given_families[name]), [v for v in q if v is not None], strict=True))
        assert all(one[1] <= other[1] for one, other in pairwise(known))


def test_one_family_is_plain_benjamini_hochberg() -> None:
    q = false_discovery.control({"only": PUBLISHED})["only"]
    assert q == pytest.approx(false_discovery.benjamini_hochberg(PUBLISHED))


def test_a_family_without_tests_counts_for_nothing() -> None:
    alone = false_discovery.control({"a": [0.01, 0.2]})
    beside = false_discovery.control({"a": [0.01, 0.2], "b": [None, float("nan")], "c": []})
    assert beside["a"] == alone["a"]
    assert beside["b"] == (None, None)
    assert beside["c"] == ()
    assert false_discovery.simes([None]) is None
    assert false_discovery.control({}) == {}


def test_noise_raises_an_alarm_in_at_most_five_runs_of_a_hundred() -> None:
    rng = np.random.default_rng(11)
    runs, alarms = 500, 0
    for _ in range(runs):
        noise = {str(k): rng.random(rng.integers(1, 12)).tolist() for k in range(20)}
        alarms += any(q is not None and q <= 0.05 for found in false_discovery.control(noise).values() for q in found)
    assert 0.02 < alarms / runs < 0.08


def test_the_average_false_share_over_selected_families_is_held() -> None:
    rng = np.random.default_rng(12)
    false_share = []
    power = 0
    for _ in range(150):
        p = {str(k): rng.random(10) for k in range(20)}
        for k in range(5):
            p[str(k)][:4] = stats.norm.sf(rng.normal(3, 1, 4))
        q = false_discovery.control({name: values.tolist() for name, values in p.items()})
        shares = []
        for name, values in q.items():
            picked = [place for place, v in enumerate(values) if v is not None and v <= 0.05]
            if picked:
                true = [place for place in picked if int(name) < 5 and place < 4]
                power += len(true)
                shares.append(1 - len(true) / len(picked))
        false_share.append(float(np.mean(shares)) if shares else 0.0)
    assert np.mean(false_share) < 0.06
    assert power / 150 > 6


def test_a_p_outside_0_and_1_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        false_discovery.control({"a": [1.2]})


def test_q_stands_beside_each_row_of_a_table() -> None:
    table = pl.DataFrame({"f": ["a", "b", "a", None], "p": [0.001, 0.5, None, 0.9]})
    plain = false_discovery.estimate(table)
    assert plain.parameters == {"tests": 3}
    assert plain.columns is not None
    assert plain.columns["q"].to_list() == pytest.approx([0.003, 0.75, None, 0.9])
    layered = false_discovery.estimate(table, family="f").columns
    assert layered is not None
    assert layered["q"].to_list() == pytest.approx([0.003, 0.75, None, 0.9])
