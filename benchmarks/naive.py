"""What an analyst would write today with pandas and lifetimes: read, fit, value, rank. The measure to beat.

    python -m benchmarks.naive FOLDER OUT

It reads FOLDER/invoices.csv and writes OUT, one row per customer. Written as the documentation of lifetimes shows it,
with no slack built in and no care taken either: it knows nothing of voids beyond the one filter, of identity, of
intervals, nor whether the model fits.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import summary_data_from_transaction_data


def customers(invoices: pd.DataFrame) -> pd.DataFrame:
    """One row per customer: frequency, recency, T (days), monetary value, revenue, lifetime value of a year, class."""
    table = summary_data_from_transaction_data(
        invoices, "customer_id", "issue_date", monetary_value_col="amount", freq="D"
    )
    buying = BetaGeoFitter()
    buying.fit(table["frequency"], table["recency"], table["T"])
    table["alive"] = buying.conditional_probability_alive(table["frequency"], table["recency"], table["T"])

    repeaters = table[(table["frequency"] > 0) & (table["monetary_value"] > 0)]
    spending = GammaGammaFitter()
    spending.fit(repeaters["frequency"], repeaters["monetary_value"])
    table["value"] = spending.customer_lifetime_value(
        buying, table["frequency"], table["recency"], table["T"], table["monetary_value"], time=12, freq="D"
    )

    revenue = invoices.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
    share = revenue.cumsum() / revenue.sum()
    table["revenue"] = revenue
    table["class"] = pd.cut(share, [0, 0.80, 0.95, 1.01], labels=["A", "B", "C"])
    return table


def main(folder: str, out: str) -> None:
    warnings.simplefilter("ignore")
    invoices = pd.read_csv(Path(folder) / "invoices.csv", parse_dates=["issue_date"])
    invoices = invoices[invoices["status"] != "void"]
    customers(invoices).to_csv(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
