"""The choice between the models, the holdout, and when the answer is withheld."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import polars as pl
import pytest

from crmaudit.methods.beta_geometric import BG_NBD, MBG_NBD
from crmaudit.methods.buy_till_you_die import Judged, choose, estimate
from crmaudit.methods.pareto_nbd import PARETO_NBD
from crmaudit.methods.purchase_process import Fit, PurchaseModel
from tests.methods.histories import Base, cdnow_until, simulate

AGES = np.linspace(2, 120, 3000)


def base(seed: int = 1, **kinds: float | str) -> Base:
    return simulate(AGES, np.random.default_rng(seed), **kinds)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return pl.concat([base(1).table("current"), base(2).table("holdout")])


def changed(table: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    return table.with_columns(**columns)


def test_cdnow_holdout_decides_between_two_likelihoods_within_two_units() -> None:
    """39 weeks ahead 1,882 purchases came; the BG/NBD's 1,653 are nearer than the MBG/NBD's 1,577."""
    rows = cdnow_until(date(1997, 9, 30), 39)
    histories = {"recency_weeks": "recency", "age_weeks": "age", "future_purchases": "future"}
    both = [
        rows.group_by("frequency", "recency", "age", "future")
        .agg(customers=pl.len())
        .with_columns(period=pl.lit(period))
        .rename({old: new for new, old in histories.items()})
        .with_columns(future_purchases=pl.when(pl.col("period") == "holdout").then("future_purchases").cast(pl.Int64))
        for period in ("current", "holdout")
    ]
    found = estimate(pl.concat(both), holdout_weeks=39)
    assert found.withheld is None
    assert found.parameters["model"] == "BG/NBD"
    assert found.holdout is not None
    assert found.holdout["actual"] == 1882
    assert found.holdout["predicted"] == pytest.approx(1653.4, abs=0.1)
    assert found.holdout["error_pct"] == pytest.approx(-12.146, abs=0.01)
    assert found.holdout["auc"] > found.holdout["auc_recency"]
    active = {c["model"]: round(c["expected_active_customers"]) for c in found.candidates}
    assert active == {"MBG/NBD": 1058, "BG/NBD": 1917, "Pareto/NBD": 1052}


def judged(model: PurchaseModel, log_likelihood: float, error_pct: float | None, fault: str | None = None) -> Judged:
    return Judged(Fit(model, np.ones(4), log_likelihood, fault), error_pct=error_pct)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param([judged(MBG_NBD, -103, 0), judged(BG_NBD, -100, 50)], BG_NBD, id="likelihood_first"),
        pytest.param([judged(MBG_NBD, -101, 9), judged(BG_NBD, -100, -5)], BG_NBD, id="then_holdout"),
        pytest.param([judged(MBG_NBD, -101, 5.9), judged(BG_NBD, -100, -5)], MBG_NBD, id="then_mbg_nbd"),
        pytest.param([judged(MBG_NBD, -101, None), judged(BG_NBD, -100, None)], MBG_NBD, id="no_holdout"),
        pytest.param([judged(BG_NBD, -101, None), judged(PARETO_NBD, -100, None)], PARETO_NBD, id="no_mbg_nbd"),
        pytest.param([judged(MBG_NBD, -90, 0, "bounds"), judged(BG_NBD, -100, 50)], BG_NBD, id="sound_ones_only"),
    ],
)
def test_choice(candidates: list[Judged], chosen: PurchaseModel) -> None:
    assert choose(candidates).now.model is chosen


def test_columns_by_row_and_what_came(table: pl.DataFrame) -> None:
    found = estimate(table, horizons_weeks=[52, 156])
    assert found.columns is not None
    assert found.columns.height == table.height
    rows = pl.concat([table, found.columns], how="horizontal")
    now, before = rows.filter(pl.col("period") == "current"), rows.filter(pl.col("period") == "holdout")
    assert now["p_alive"].is_between(0, 1).all()
    assert now["expected_holdout_purchases"].null_count() == now.height
    assert now["p_active_holdout"].null_count() == now.height
    assert before["expected_holdout_purchases"].to_list() == before["expected_purchases_52w"].to_list()
    assert (now["expected_purchases_156w"] > now["expected_purchases_52w"]).all()
    assert (now["p_leaves_156w"] > now["p_leaves_52w"]).all()
    alive = (now["customers"] * now["p_alive"]).sum()
    assert alive == pytest.approx((base(1).left_after > AGES).sum(), rel=0.05)
    chosen = next(c for c in found.candidates if c["chosen"])
    assert chosen["model"] == found.parameters["model"]
    assert chosen["expected_active_customers"] == pytest.approx(alive)
    assert chosen["log_likelihood"] == found.log_likelihood
    column = "p_alive_" + chosen["model"].lower().replace("/", "_")
    assert now[column].to_list() == now["p_alive"].to_list()


def test_calibration_adds_up(table: pl.DataFrame) -> None:
    found = estimate(table)
    tenths = found.tables["calibration"]
    assert found.holdout is not None
    assert tenths["decile"].to_list() == list(range(1, 11))
    assert tenths["customers"].sum() == AGES.size
    assert tenths["actual"].sum() == found.holdout["actual"] == base(2).future.sum()
    assert tenths["predicted"].sum() == pytest.approx(found.holdout["predicted"])
    assert found.holdout["predicted"] == pytest.approx(found.holdout["actual"], rel=0.15)
    assert tenths["predicted"].is_sorted()
    top = tenths.row(9, named=True)
    assert top["actual_active_pct"] == pytest.approx(top["predicted_active_pct"], abs=8)


def test_shuffling_the_rows_changes_nothing(table: pl.DataFrame) -> None:
    order = np.random.default_rng(3).permutation(table.height)
    here, there = estimate(table), estimate(table[order])
    assert here.columns is not None
    assert there.columns is not None
    assert here.columns[order].equals(there.columns)
    assert here.parameters == there.parameters
    assert here.candidates == there.candidates
    assert here.tables["calibration"].equals(there.tables["calibration"])


def test_customers_of_this_week_are_estimated_too(table: pl.DataFrame) -> None:
    found = estimate(table)
    assert found.columns is not None
    new = (table["age_weeks"] == 0) & (table["period"] == "current")
    more = pl.concat(
        [
            table,
            table.filter(table["period"] == "current")[:1].with_columns(
                frequency=pl.lit(0, pl.Int64), recency_weeks=pl.lit(0.0), age_weeks=pl.lit(0.0)
            ),
        ]
    )
    assert not new.any()
    with_new = estimate(more)
    assert with_new.columns is not None
    assert with_new.columns["p_alive"][-1] is not None
    assert with_new.log_likelihood == pytest.approx(found.log_likelihood, rel=1e-4)


def test_without_a_holdout_nothing_is_judged(table: pl.DataFrame) -> None:
    found = estimate(table.filter(pl.col("period") == "current"))
    assert found.withheld is None
    assert found.parameters["model"] == "MBG/NBD"
    assert found.holdout is not None
    assert found.holdout["not_judged"] == "There is no holdout period."
    assert "calibration" not in found.tables
    assert found.columns is not None
    assert found.columns["p_alive"].null_count() == 0


def test_a_holdout_whose_outcome_is_not_known_is_not_judged(table: pl.DataFrame) -> None:
    found = estimate(changed(table, future_purchases=pl.lit(None, pl.Int64)))
    assert found.withheld is None
    assert found.holdout is not None
    assert "not known" in found.holdout["not_judged"]


def test_a_holdout_without_purchases_has_no_error_in_per_cent(table: pl.DataFrame) -> None:
    found = estimate(changed(table, future_purchases=pl.col("future_purchases") * 0))
    assert found.holdout is not None
    assert found.holdout["actual"] == 0
    assert found.holdout["error_pct"] is None
    assert found.holdout["auc"] is None


def test_length_of_the_holdout_from_a_column(table: pl.DataFrame) -> None:
    named = estimate(changed(table, weeks=pl.lit(26)), holdout_weeks="weeks")
    given = estimate(table, holdout_weeks=26)
    assert named.holdout == given.holdout
    with pytest.raises(ValueError, match="one value"):
        estimate(changed(table, weeks=pl.col("age_weeks")), holdout_weeks="weeks")


def test_one_customer_with_5000_purchases_moves_no_parameter(table: pl.DataFrame) -> None:
    robot = table.filter(pl.col("period") == "current")[:1].with_columns(
        frequency=pl.lit(5000, pl.Int64),
        recency_weeks=pl.lit(38.0),
        age_weeks=pl.lit(38.0),
        customers=pl.lit(1, pl.UInt32),
    )
    without, found = estimate(table), estimate(pl.concat([table, robot]))
    assert found.parameters["alpha"] == without.parameters["alpha"]
    assert without.parameters["outlier_customers"] == 0
    assert "outliers" not in without.tables
    assert found.parameters["outlier_customers"] == 1
    assert found.tables["outliers"].rows() == [(5000.0, 38.0, 38.0, 1.0)]
    assert found.columns is not None
    assert found.columns["p_alive"][-1] == pytest.approx(1, abs=0.01)


def test_withheld_for_too_few_who_bought_again(table: pl.DataFrame) -> None:
    once = estimate(table.filter(pl.col("frequency") == 0))
    assert once.withheld is not None
    assert re.fullmatch(
        r"Only 0 of \d+ customers whose purchases were followed bought again; fewer than 50 tell nothing.",
        once.withheld,
    )
    again = table.filter((pl.col("frequency") > 0) & (pl.col("period") == "current"))
    cut = again.with_columns(customers=pl.lit(1))
    assert "Only 49 of 49 customers" in (estimate(cut[:49]).withheld or "")
    assert "Only" not in (estimate(cut[:50]).withheld or "")


@pytest.mark.parametrize(
    "fault",
    [
        {"age_weeks": None},
        {"age_weeks": float("nan")},
        {"age_weeks": -1.0},
        {"recency_weeks": 500.0},
        {"recency_weeks": -1.0},
        {"frequency": -1},
        {"frequency": 0, "recency_weeks": 1.0, "age_weeks": 2.0},
        {"customers": 0},
    ],
    ids=str,
)
def test_withheld_for_impossible_histories(table: pl.DataFrame, fault: dict[str, float | None]) -> None:
    current = table.filter(pl.col("period") == "current")
    first = pl.int_range(pl.len()) == 0
    broken = current.with_columns(
        pl.when(first).then(pl.lit(value, current.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in fault.items()
    )
    assert estimate(broken).withheld == (
        "1 purchase histories are impossible: a missing, negative or contradictory number."
    )


@pytest.mark.parametrize("shape", [0.8, 400.0], ids=["rates_differ", "one_rate"])
def test_withheld_where_nobody_ever_leaves(shape: float) -> None:
    loyal = base(4, leaving="never", shape=shape, rate=shape * 10)
    found = estimate(loyal.table("current"))
    assert found.withheld == (
        "The purchases are explained as well without anybody leaving, so nobody can be told to have left."
    )
    assert found.columns is None
    assert [c["model"] for c in found.candidates] == ["MBG/NBD", "BG/NBD"]


def test_withheld_where_the_naive_rule_ranks_better(table: pl.DataFrame) -> None:
    """In the holdout those come back who were seen last, whatever their number of purchases."""
    silence = pl.col("age_weeks") - pl.col("recency_weeks")
    odd = (pl.col("frequency") <= 1) & (silence < 30)
    happened = pl.when(pl.col("period") == "holdout").then(odd.cast(pl.Int64))
    found = estimate(changed(table, future_purchases=happened))
    assert found.holdout is not None
    assert found.holdout["auc"] < found.holdout["auc_naive"]
    assert found.withheld == (
        "In the holdout the model ranks customers worse than the rule: bought in the last 29 weeks."
    )
    assert found.columns is None
    assert found.tables["candidates"].height == 3
