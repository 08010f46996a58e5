"""Statistical methods: pure, one per module, each with its paper.

A method takes named columns and returns estimates and tests; it knows nothing of customers, databases or
sentences. Methods import numpy, polars, scipy and each other, nothing else of this package.

A module of this package is a method when it has a function

    estimate(table: pl.DataFrame, **parameters) -> Estimate

and a tuple `PAPERS` of the works it follows. An audit names the module in its header:

    [method]
    name  = "rates"            the module
    table = "by_competitor"    the table it reads
    successes = "won"          everything else is passed as keyword arguments
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Estimate:
    """What a method found.

    `columns` has as many rows as the table that was read, in its order, and only the new columns; None where the
    method has nothing to say row by row. A column named `p` or `*_p` is a p-value and joins the false-discovery
    control of the whole run. `tables` are further results by name, such as a survival curve. `withheld` says in one
    sentence why the method could not answer; the columns are then absent or null. `parameters` are scalars that
    anybody who wants to reproduce the estimate needs; `candidates` are the models that were compared, one mapping
    each; `holdout` is how the chosen one did on what it had not seen.
    """

    columns: pl.DataFrame | None = None
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    log_likelihood: float | None = None
    candidates: tuple[Mapping[str, Any], ...] = ()
    holdout: Mapping[str, Any] | None = None
    withheld: str | None = None
