"""Lists of invoices with a row per line: the same rows are the lines of these invoices."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from crmaudit.intake.cast import Caster
from crmaudit.intake.mapping import WHAT_IS_SOLD, Lines
from crmaudit.intake.profile import Profile
from crmaudit.intake.recognise import Recognition
from crmaudit.intake.sql import literal, quoted
from crmaudit.intake.typed import Typed, typed_table


def lines_of_invoices(
    con: duckdb.DuckDBPyConnection, found: Recognition, *, name: str, source_id: int, caster: Caster
) -> Typed:
    """Makes the table `name` of the lines; rows that name no product and no quantity are none."""
    if found.mapping is None or found.mapping.lines is None:
        raise ValueError(f"{found.table.path} has no lines")
    said = found.mapping.lines
    lines = typed_table(
        con, _without_discounted_amounts(found.profile, said), said.mapping,
        name=name, source_id=source_id, caster=caster,
    )  # fmt: skip
    telling = [c for c in WHAT_IS_SOLD if c in lines.columns]
    con.execute(f"delete from {name} where coalesce({', '.join(f'{c}::varchar' for c in telling)}) is null")
    if said.is_price and {"amount", "quantity"} <= set(lines.columns):
        con.execute(f"update {name} set amount = (amount * quantity::decimal(18, 4))::decimal(18, 4)")
    return lines


def _without_discounted_amounts(seen: Profile, said: Lines) -> Profile:
    """A price of which a discount is taken off, nobody can tell from the row how, is no amount."""
    amount = said.mapping.source_of("amount")
    if said.discount is None or amount is None:
        return seen
    is_none = f"not regexp_matches(coalesce({quoted(said.discount)}, ''), '[1-9]')"
    relation = (
        f"(select * replace (case when {is_none} then {quoted(amount)} end as {quoted(amount)}) "
        f"from {seen.table.relation})"
    )
    return replace(seen, table=replace(seen.table, relation=relation))


def keep_lines_of_loaded_invoices(con: duckdb.DuckDBPyConnection, name: str, system: str, source_id: int) -> None:
    """Drops the lines whose invoice was left out, or taken from a newer export that has lines of its own."""
    con.execute(
        f"delete from {name} as l where not exists (select 1 from loaded.invoices i "
        f"where i.system = {literal(system)} and i.invoice_id = l.invoice_id and i.source_id = {source_id})"
    )
