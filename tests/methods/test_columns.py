import numpy as np
import polars as pl
import pytest

from crmaudit.methods.columns import Ordered, counts, groups


def test_groups_are_sorted_with_nulls_last_and_know_their_rows_and_family() -> None:
    table = pl.DataFrame({"f": ["y", "x", "x", "y", "x"], "g": ["b", None, "a", "b", "c"]})
    found = groups(table, "g", "f")
    assert found.labels.rows() == [("x", "a"), ("x", "c"), ("x", None), ("y", "b")]
    assert [rows.tolist() for rows in found.rows] == [[2], [4], [1], [0, 3]]
    assert found.family[0] == found.family[1] == found.family[2] != found.family[3]


def test_without_a_group_all_rows_are_one_and_none_are_none() -> None:
    assert groups(pl.DataFrame({"a": [1, 2]}), None).labels.rows() == [("all",)]
    assert groups(pl.DataFrame({"a": []}), None).labels.rows() == []


def test_an_absent_group_column_is_named() -> None:
    with pytest.raises(ValueError, match="'g'"):
        groups(pl.DataFrame({"a": [1]}), "g")


def test_decimals_count_as_numbers() -> None:
    assert counts(pl.DataFrame({"n": ["1.00", "3.00"]}).cast(pl.Decimal(10, 2)), "n").tolist() == [1, 3]


def test_a_quantile_counts_each_value_as_often_as_it_stands() -> None:
    found = Ordered.of(np.array([5.0, 1.0, 9.0]), np.array([2.0, 3.0, 1.0]))
    assert found.quantile(0.5) == np.median([1, 1, 1, 5, 5, 9])
    assert np.isnan(Ordered.of(np.empty(0), np.empty(0)).quantile(0.5))
