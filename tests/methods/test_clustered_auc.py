import numpy as np
import pytest
from numpy.typing import NDArray

from crmaudit.methods import clustered_auc, discrimination
from crmaudit.methods.columns import Floats

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


def panel(rng: np.random.Generator, people: int, days: int, shift: float) -> tuple[Floats, Flags, Ints]:
    """Two scores of people seen on several days, half of each score being the person; the outcome, and who."""
    who = np.repeat(np.arange(people), days)
    came = np.repeat(rng.random(people) < 0.3, days) & (rng.random(people * days) < 0.8)
    person = rng.normal(size=(people, 2))[who]
    scores = (person + rng.normal(size=(people * days, 2))) / np.sqrt(2) + shift * came[:, None]
    return scores, came, who


def split(came: Flags) -> tuple[Floats, Floats]:
    """How many positives and how many negatives each row is."""
    return came.astype(np.float64), (~came).astype(np.float64)


def test_one_row_each_is_delongs() -> None:
    rng = np.random.default_rng(1)
    scores, came, who = panel(rng, 120, 1, 0.7)
    scores = scores.round(1)
    found = clustered_auc.areas(scores, came, who)
    theirs = [discrimination.auc(scores[:, k], *split(came)) for k in range(2)]
    assert found.areas == pytest.approx([one.auc for one in theirs])
    assert np.diag(found.covariance) == pytest.approx([one.variance for one in theirs])
    assert found.interval(0) == pytest.approx((theirs[0].low, theirs[0].high))
    assert found.difference(1, 0) == pytest.approx(discrimination.compare(theirs[0], theirs[1], *split(came)))


def test_rows_written_twice_say_nothing_more() -> None:
    rng = np.random.default_rng(2)
    scores, came, who = panel(rng, 80, 1, 0.5)
    once = clustered_auc.areas(scores, came, who)
    twice = clustered_auc.areas(np.vstack([scores, scores]), np.r_[came, came], np.r_[who, who])
    assert twice.areas == pytest.approx(once.areas)
    assert twice.covariance == pytest.approx(once.covariance)
    shuffled = rng.permutation(len(who))
    again = clustered_auc.areas(scores[shuffled], came[shuffled], 1000 - who[shuffled])
    assert again.covariance == pytest.approx(once.covariance)


def test_who_stands_on_both_sides_with_one_score_tells_nothing_for_sure() -> None:
    """One row of each outcome and the same score: the area is one half whoever is drawn, so it has no variance."""
    score = np.random.default_rng(6).normal(size=30)
    found = clustered_auc.areas(np.r_[score, score][:, None], np.arange(60) < 30, np.r_[np.arange(30), np.arange(30)])
    assert found.areas[0] == pytest.approx(0.5)
    assert found.covariance[0, 0] == pytest.approx(0, abs=1e-12)


def test_agrees_with_a_bootstrap_of_the_individuals() -> None:
    rng = np.random.default_rng(3)
    scores, came, who = panel(rng, 200, 4, 0.6)
    rows = [np.flatnonzero(who == person) for person in range(200)]
    drawn = []
    for _ in range(400):
        chosen = np.concatenate([rows[person] for person in rng.integers(0, 200, 200)])
        drawn.append([discrimination.auc(scores[chosen, k], *split(came[chosen])).auc for k in range(2)])
    theirs = np.cov(np.array(drawn).T)
    found = clustered_auc.areas(scores, came, who)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(np.sqrt(np.diag(theirs)), rel=0.15)
    assert found.difference(0, 1)[2] - found.difference(0, 1)[1] == pytest.approx(
        2 * 1.96 * np.std(np.diff(drawn, axis=1)), rel=0.15
    )


def test_intervals_cover_where_rows_hang_together_and_those_that_ignore_it_do_not() -> None:
    rng = np.random.default_rng(4)
    many, lost, _ = panel(rng, 40_000, 6, 0.5)
    truth = discrimination.auc(many[:, 0], *split(lost)).auc
    held = naive = 0
    for _ in range(400):
        scores, came, who = panel(rng, 80, 6, 0.5)
        low, high = clustered_auc.areas(scores, came, who).interval(0)
        held += low <= truth <= high
        alone = discrimination.auc(scores[:, 0], *split(came))
        naive += alone.low <= truth <= alone.high
    assert 0.92 <= held / 400 <= 0.98
    assert naive / 400 < 0.9


def test_nothing_to_tell_is_half_and_its_p_is_even() -> None:
    rng = np.random.default_rng(5)
    small = sum(clustered_auc.areas(*panel(rng, 100, 3, 0.0)).p(0) < 0.05 for _ in range(400))
    assert 8 <= small <= 36


def test_a_perfect_score_has_no_interval_and_too_few_individuals_no_area() -> None:
    came = np.arange(20) >= 10
    found = clustered_auc.areas(np.arange(20.0)[:, None], came, np.arange(20))
    assert found.areas[0] == 1
    assert np.isnan(found.interval(0)).all()
    assert np.isnan(found.p(0))
    with pytest.raises(ValueError, match="two individuals"):
        clustered_auc.areas(np.arange(20.0)[:, None], came, np.where(came, 0, np.arange(20)))
