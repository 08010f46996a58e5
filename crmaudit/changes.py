"""What has changed since the last mail: the state it left behind against what holds now.

Who has been told of stays told of until it is gone, and may come back within eight weeks without being news: nobody
flips in and out. What the present exports cannot tell stays as it was last known.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace

from crmaudit.errors import InputError
from crmaudit.news import Entry, Kind, Observed
from crmaudit.report import LEVELS

QUIET_DAYS = 56
"""For so long what has gone may come back without being news."""

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Kept:
    """An entry as the last mail left it."""

    entry: Entry
    told_on: str | None
    """The as-of date of the mail that told of it; None: it is known, and nobody was told."""
    gone_on: str | None = None


@dataclass(frozen=True)
class State:
    """What the last mail knew, by the key of the entry."""

    as_of: str
    fingerprint: str
    kept: Mapping[str, Kept]


@dataclass(frozen=True)
class Changes:
    """What a mail is made of."""

    new: tuple[Entry, ...]
    cleared: tuple[Entry, ...]
    undone: tuple[Kept, ...]
    snoozed: int
    since: str | None
    """The as-of date of the last mail; None: this is the first."""
    is_unchanged: bool


def compare(
    before: State | None,
    now: Observed,
    fingerprint: str,
    kinds: Collection[Kind],
    snoozed: Collection[str] = (),
) -> tuple[Changes, State]:
    """The changes, and the state that the mail leaves behind.

    `snoozed` are names of customers, their parties or keys of entries that nobody wants to hear of for now; what still
    holds when that ends is news then.
    """
    old = before.kept if before else {}
    moving = {kind.id for kind in kinds if kind.moves}
    told = {kind.id for kind in kinds if kind.cleared}
    kept: dict[str, Kept] = {}
    fresh: set[str] = set()
    quiet = 0
    for key, entry in now.entries.items():
        if {entry.customer, entry.party, key} & set(snoozed):
            quiet += entry.is_entered
            kept[key] = Kept(entry, None)
        elif held := _held(old.get(key), entry, now.as_of, moves=entry.kind in moving):
            kept[key], is_new = held
            fresh |= {key} if is_new else set()
    gone = {key: one for key, was in old.items() if key not in now.entries and (one := _gone(was, now))}
    here = {key: one for key, one in kept.items() if one.told_on and not one.gone_on}
    # By what the last mail knew, not by days: a week without a purchase leaves the as-of date where it was.
    left = [one.entry for key, one in gone.items() if one.gone_on and not old[key].gone_on]
    changes = Changes(
        new=tuple(sorted((one.entry for key, one in here.items() if key in fresh), key=rank)),
        cleared=tuple(sorted((entry for entry in left if entry.kind in told), key=rank)),
        undone=tuple(sorted((one for key, one in here.items() if key not in fresh), key=lambda one: rank(one.entry))),
        snoozed=quiet,
        since=before.as_of if before else None,
        is_unchanged=before is not None and before.fingerprint == fingerprint,
    )
    return changes, State(now.as_of, fingerprint, {**kept, **gone})


def _held(was: Kept | None, entry: Entry, today: str, *, moves: bool) -> tuple[Kept, bool] | None:
    """What is kept of an entry that holds now, and whether it is news. None where nobody need know of it."""
    told_on, gone_on = (was.told_on, was.gone_on) if was else (None, None)
    if gone_on and _days(gone_on, today) > QUIET_DAYS:
        told_on = gone_on = None
    if moves and was and was.entry.mark < entry.mark:
        return Kept(entry, today), True
    if told_on is None:
        is_known = entry.is_entered or moves
        return (Kept(entry, today if entry.is_entered else None), entry.is_entered) if is_known else None
    # Gone, and back in the band only: that does not bring it in again.
    return Kept(entry, told_on, None if entry.is_entered else gone_on), False


def _gone(was: Kept, now: Observed) -> Kept | None:
    """What is kept of an entry that does not hold any more, or of which nothing is known this time."""
    if was.entry.kind in now.unknown:
        return was
    if was.told_on is None:
        return None
    if was.gone_on is None:
        return replace(was, gone_on=now.as_of)
    return was if _days(was.gone_on, now.as_of) <= QUIET_DAYS else None


def rank(entry: Entry) -> tuple[int, float, str]:
    """Level, then money; the key settles ties."""
    return LEVELS.index(entry.level), -(entry.amount or 0), entry.key


def _days(first: str, last: str) -> int:
    return (dt.date.fromisoformat(last) - dt.date.fromisoformat(first)).days


def to_json(state: State) -> str:
    """The state as it is kept between mails."""
    kept = {
        key: {**asdict(one.entry), "told_on": one.told_on, "gone_on": one.gone_on} for key, one in state.kept.items()
    }
    data = {"schema_version": SCHEMA_VERSION, "as_of": state.as_of, "fingerprint": state.fingerprint, "kept": kept}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> State:
    """The state again; InputError where it is broken or another version wrote it."""
    way_out = "what the last weekly mail knew; move the folder weekly of the audit away to begin anew"
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputError(f"state.json cannot be read: {error}. It is {way_out}") from error
    if data.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"state.json has schema {data.get('schema_version')}, this version reads {SCHEMA_VERSION}. It is {way_out}"
        )
    kept = {}
    for key, one in data["kept"].items():
        told_on, gone_on = one.pop("told_on"), one.pop("gone_on")
        kept[key] = Kept(Entry(**one), told_on, gone_on)
    return State(data["as_of"], data["fingerprint"], kept)
