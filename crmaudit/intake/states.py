"""Words of state: "Closed Won" is won, "canceled" is cancelled; texts that no word covers stay, or are the rest."""

from __future__ import annotations

from collections.abc import Mapping

from crmaudit.intake.mapping import ColumnMapping
from crmaudit.intake.sql import listed, literal
from crmaudit.intake.synonyms import Vocabulary


def state_value(entity: str, column: str, text: str, mapping: ColumnMapping, words: Vocabulary) -> str | None:
    """The SQL expression of a state column from its clean text; None where the column holds no states."""
    own = mapping.states.get(column, {})
    states = words.states.get(f"{entity}.{column}")
    if states is None and not own:
        return None
    whole = {**(states.whole if states else {})}
    return _case(text, own, whole, states.part if states else {}, (states.otherwise if states else None))


def derived_states(entity: str, mapping: ColumnMapping, words: Vocabulary) -> dict[str, str]:
    """Columns that follow from another: canonical column -> the canonical column its words are read from."""
    return {
        key.partition(".")[2]: states.derived_from.partition(".")[2]
        for key, states in words.states.items()
        if states.derived_from
        and key.startswith(f"{entity}.")
        and not mapping.has(key.partition(".")[2])
        and mapping.has(states.derived_from.partition(".")[2])
    }


def _case(
    text: str,
    own: Mapping[str, tuple[str, ...]],
    whole: Mapping[str, tuple[str, ...]],
    part: Mapping[str, tuple[str, ...]],
    otherwise: str | None,
) -> str:
    lower = f"lower({text})"
    arms = [f"when {text} is null then null"]
    for texts in (own, whole):
        arms += [
            f"when {lower} in {listed(sorted({v.lower() for v in t}))} then {literal(s)}" for s, t in texts.items()
        ]
    for state, parts in part.items():
        pattern = r"(^|[^\pL])(" + "|".join(parts) + r")($|[^\pL])"
        arms.append(f"when regexp_matches({lower}, {literal(pattern)}) then {literal(state)}")
    rest = literal(otherwise) if otherwise else text
    return f"case {' '.join(arms)} else {rest} end"
