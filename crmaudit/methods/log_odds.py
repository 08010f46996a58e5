"""Which words does a group use more than the others: log-odds with an informative Dirichlet prior.

For group i with y_w customers who use word w, of n uses in all, and the rest of the customers likewise,

    delta = log((y_wi + a_w) / (n_i + a_0 - y_wi - a_w)) - log((y_wr + a_w) / (n_r + a_0 - y_wr - a_w))
    variance = 1 / (y_wi + a_w) + 1 / (y_wr + a_w),        z = delta / sqrt(variance)

(equations 16, 20 and 22). The prior is the whole corpus: a_w is the word's share of all uses times a_0, so that words
everybody uses and words hardly anybody uses are both drawn towards no difference. Counting customers rather than uses
keeps one chatty customer from making a theme.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import erfc

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, counts

PAPERS = (
    "Monroe, B. L., Colaresi, M. P. & Quinn, K. M. (2008). Fightin' Words: Lexical feature selection and evaluation "
    "for identifying the content of political conflict. Political Analysis 16, 372-403.",
)

PRIOR_USES = 500.0
"""a_0: the prior weighs as much as so many uses of words."""


def estimate(table: pl.DataFrame, *, group: str, word: str, users: str) -> Estimate:
    """Per row `log_odds` (natural), `low`, `high` (95 %), `z` and `theme_p` (two-sided), the group against the others.

    `table` has one row for each group and word with how many of the group's `users` use it; a word that a group does
    not use needs no row, and gets none. Withheld where there is only one group, or only one word.
    """
    if table.get_column(group).n_unique() < 2:
        return Estimate(withheld="There is one group of customers only, so there is nothing to compare.")
    if table.get_column(word).n_unique() < 2:
        return Estimate(withheld="All of them use one and the same word.")
    uses = counts(table, users)
    of_word, of_group = _totals(table, word, uses), _totals(table, group, uses)
    everything = float(uses.sum())
    prior = PRIOR_USES * of_word / everything
    mine, theirs = uses + prior, of_word - uses + prior
    my_others = of_group + PRIOR_USES - mine
    their_others = everything - of_group + PRIOR_USES - theirs
    delta = np.log(mine / my_others) - np.log(theirs / their_others)
    error = np.sqrt(1 / mine + 1 / theirs)
    z = delta / error
    columns = pl.DataFrame(
        {
            "log_odds": delta,
            "low": delta - Z95 * error,
            "high": delta + Z95 * error,
            "z": z,
            "theme_p": erfc(np.abs(z) / np.sqrt(2)),
        }
    )
    return Estimate(columns=columns, parameters={"prior_uses": PRIOR_USES, "words": int(table[word].n_unique())})


def _totals(table: pl.DataFrame, column: str, uses: Floats) -> Floats:
    """For each row the uses of all rows with its value in the column."""
    codes = table.get_column(column).cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.intp)
    totals: Floats = np.bincount(codes, uses)[codes].astype(np.float64)
    return totals
