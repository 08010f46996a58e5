"""`python -m benchmarks.simulations [RUNS] [PART ...]`: how often methods and audits are right where truth is known.

RUNS (400) simulated bases each, on two processes; a part is any of worth, active, intervals, alarms, killers. Prints
each rate as it is known, with its goal; the exit code is 0 whatever they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

from tests.simulations import intervals, whole, worth

RUNS, PROCESSES = 400, 2
FIRST_SEED = 1000
COVERS = "92 to 98 %"

T = TypeVar("T")


def drawn(one: Callable[[int], T], runs: int) -> list[T]:
    """What `one` says of each of so many bases."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return list(pool.map(one, range(FIRST_SEED, FIRST_SEED + runs), chunksize=4))


def line(name: str, share: float, n: int, goal: str) -> str:
    return f"{name:62} {100 * share:7.2f} %   {n:5} runs   goal {goal}"


def share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def of_worth(runs: int) -> Iterator[str]:
    bases: dict[str, Callable[[int], worth.Outcome | None]] = {
        f"without contract, {leaving}": partial(worth.without_contract, leaving=leaving) for leaving in worth.LEAVING
    }
    for name, one in {**bases, "under contract": worth.under_contract}.items():
        found = [outcome for outcome in drawn(one, runs) if outcome]
        yield line(f"worth of all in its interval: {name}", share([o.is_held for o in found]), len(found), COVERS)
        each = sum(o.each_held for o in found) / len(found)
        yield line(f"worth of each in its interval: {name}", each, len(found), COVERS)
        told = sum(o.worth for o in found) / sum(o.came for o in found)
        yield line(f"worth told over what came: {name}", told, len(found), "100 %")


def of_active(runs: int) -> Iterator[str]:
    for leaving in worth.LEAVING:
        for regular, goal in ((1, "95 to 105 %"), (2, "85 to 115 %")):
            one = partial(worth.without_contract, leaving=leaving, regular=regular)
            found = [outcome for outcome in drawn(one, runs) if outcome]
            ratio = sum(o.active for o in found) / sum(o.truly_active for o in found)
            steadier = " but steadier" if regular > 1 else ""
            yield line(f"active customers told over true: {leaving}{steadier}", ratio, len(found), goal)


def of_intervals(runs: int) -> Iterator[str]:
    for name, one in intervals.METHODS.items():
        yield line(f"interval of {name}", share([one(FIRST_SEED + i) for i in range(runs)]), runs, COVERS)


def of_alarms(runs: int) -> Iterator[str]:
    yield line("a base of noise raises an `act`", share(drawn(whole.raises_an_alarm, runs)), runs, "at most 5 %")


def of_killers(runs: int) -> Iterator[str]:
    for audit_id in ("service_and_loss", "journey_end"):
        found = drawn(partial(whole.names_the_killer, audit_id=audit_id), runs)
        yield line(f"{audit_id} names the ticket that kills", share([killer for killer, _ in found]), runs, "")
        yield line(f"{audit_id} names a harmless one", share([other for _, other in found]), runs, "at most 5 %")


PARTS = {
    "worth": of_worth,
    "active": of_active,
    "intervals": of_intervals,
    "alarms": of_alarms,
    "killers": of_killers,
}


def main(arguments: Sequence[str]) -> None:
    runs = int(arguments[0]) if arguments and arguments[0].isdigit() else RUNS
    named = [argument for argument in arguments if not argument.isdigit()]
    if unknown := [name for name in named if name not in PARTS]:
        sys.exit(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in named or PARTS:
        for told in PARTS[name](runs):
            print(told, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
