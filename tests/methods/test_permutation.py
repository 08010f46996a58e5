from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmaudit.methods.permutation import EXACT_WORK, score_test

Table = list[tuple[int, int, int]]
cell = st.integers(0, 5).flatmap(lambda n: st.tuples(st.integers(-3, 9), st.integers(0, n), st.just(n)))
tables = st.lists(cell, min_size=2, max_size=5, unique_by=lambda c: c[0])


def by_counting(table: Table) -> float:
    """Every way to place the successes, weighed by how many ways it is: the definition itself."""
    scores, successes, trials = (np.array(part) for part in zip(*table, strict=True))
    hits, mean = successes.sum(), (trials * scores).sum() * successes.sum() / trials.sum()
    distance = abs((successes * scores).sum() - mean)
    far = everything = 0
    for placed in product(*(range(n + 1) for n in trials)):
        if sum(placed) == hits:
            ways = int(np.prod([comb(int(n), x) for n, x in zip(trials, placed, strict=True)]))
            everything += ways
            far += ways if abs((np.array(placed) * scores).sum() - mean) >= distance - 1e-9 else 0
    return far / everything


def run(table: Table, work: int = EXACT_WORK) -> tuple[float, bool]:
    scores, successes, trials = (np.array(part, dtype=np.float64) for part in zip(*table, strict=True))
    test = score_test(scores, successes, trials, exact_work=work)
    return test.p, test.exact


@settings(max_examples=60, deadline=None)
@given(table=tables)
def test_the_exact_p_is_the_one_found_by_counting(table: Table) -> None:
    p, exact = run(table)
    assert exact
    if not np.isnan(p):
        assert p == pytest.approx(by_counting(table), abs=1e-9)


def test_large_tables_are_tested_by_the_normal_approximation_which_is_close() -> None:
    table = [(0, 20, 80), (1, 25, 80), (2, 28, 80), (3, 36, 80)]
    exact, normal = run(table, work=10**9), run(table, work=0)
    assert (exact[1], normal[1]) == (True, False)
    assert normal[0] == pytest.approx(exact[0], rel=0.15)


@pytest.mark.parametrize("table", [[(0, 0, 5), (1, 0, 5)], [(0, 5, 5), (1, 5, 5)], [(0, 2, 5), (1, 0, 0)], [(0, 1, 1)]])
def test_where_nothing_varies_there_is_no_p(table: Table) -> None:
    assert np.isnan(run(table)[0])
