"""`python -m benchmarks.simulations [RUNS] [PART ...] [--processes N]`: how often methods and audits are right.

RUNS (400) bases each whose truth is known, on N (2) processes; the parts are the keys of `PARTS`. Prints each rate with
its goal, and on stderr how all stand after every fifty bases; the exit code is 0 whatever they are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tests.simulations import competitors, intervals, whole, worth

RUNS, PROCESSES, TOLD_EVERY = 400, 2, 50
FIRST_SEED = 1000
COVERS = "92 to 98 %"
AT_MOST = "at most 5 %"

Counted = Mapping[str, tuple[float, float]]
"""What one base adds to each rate, above and below the line; a rate it says nothing of is absent."""


@dataclass(frozen=True)
class Study:
    """Bases drawn alike, and the goal of each rate told of them."""

    one: Callable[[int], Counted]
    goals: Mapping[str, str]


def rates(study: Study, runs: int, pool: ProcessPoolExecutor) -> Iterator[str]:
    """The study's rates over so many bases, a line each."""
    above, below, known = (dict.fromkeys(study.goals, 0.0) for _ in range(3))

    def lines() -> Iterator[str]:
        for name, goal in study.goals.items():
            share = 100 * above[name] / below[name] if below[name] else float("nan")
            yield f"{name:68} {share:7.2f} %   {known[name]:5.0f} runs   goal {goal}"

    for done, counted in enumerate(pool.map(study.one, range(FIRST_SEED, FIRST_SEED + runs)), 1):
        for name, (part, whole_) in counted.items():
            above[name] += part
            below[name] += whole_
            known[name] += 1
        if done % TOLD_EVERY == 0 and done < runs:
            print(*lines(), sep="\n", file=sys.stderr, flush=True)
    yield from lines()


def _worth(seed: int, name: str, one: Callable[[int], worth.Outcome | None], *, counts_active: bool) -> Counted:
    found = one(seed)
    if found is None:
        return {}
    told: dict[str, tuple[float, float]] = {
        f"worth of all in its interval: {name}": (found.is_held, 1),
        f"worth of each in its interval: {name}": (found.each_held, 1),
        f"worth told over what came: {name}": (found.worth, found.came),
    }
    if counts_active:
        told[f"active customers told over true: {name}"] = (found.active, found.truly_active)
    return told


def of_worth() -> Iterator[Study]:
    for leaving in worth.LEAVING:
        one = partial(worth.without_contract, leaving=leaving)
        yield _study_of_worth(f"without contract, {leaving}", one, counts_active=True)
    yield _study_of_worth("under contract", worth.under_contract, counts_active=False)


def _study_of_worth(name: str, one: Callable[[int], worth.Outcome | None], *, counts_active: bool) -> Study:
    goals = {
        f"worth of all in its interval: {name}": COVERS,
        f"worth of each in its interval: {name}": COVERS,
        f"worth told over what came: {name}": "100 %",
    }
    if counts_active:
        goals[f"active customers told over true: {name}"] = "95 to 105 %"
    return Study(partial(_worth, name=name, one=one, counts_active=counts_active), goals)


def _steadier(seed: int, leaving: str, names: tuple[str, str]) -> Counted:
    found, allowing = worth.without_contract(seed, leaving, regular=2), worth.on_a_rhythm(seed, leaving)
    told = {names[0]: (found.active, found.truly_active)} if found else {}
    return told | ({names[1]: allowing} if allowing else {})


def of_steadier() -> Iterator[Study]:
    for leaving in worth.LEAVING:
        names = (
            f"active told over true where they buy more steadily: {leaving}",
            f"active told over true, allowing for the rhythm: {leaving}",
        )
        one = partial(_steadier, leaving=leaving, names=names)
        yield Study(one, dict.fromkeys(names, "85 to 115 %"))


def _interval(seed: int) -> Counted:
    return {f"interval of {name}": (one(seed), 1) for name, one in intervals.METHODS.items()}


def of_intervals() -> Iterator[Study]:
    yield Study(_interval, {f"interval of {name}": COVERS for name in intervals.METHODS})


def _competitors(seed: int) -> Counted:
    worst, noise = competitors.three_lost_deals_make_a_worst(seed)
    rising, others = competitors.names_who_starts_to_win(seed)
    return dict(zip(COMPETITORS, ((worst, 1), (noise, 1), (rising, 1), (others, 1)), strict=True))


COMPETITORS = {
    "three lost deals make a worst competitor": "never",
    "a competitor is named where nothing changes": AT_MOST,
    "a competitor who starts to win is named": "at least 90 %",
    "of those who are named then, others": AT_MOST,
}


def of_competitors() -> Iterator[Study]:
    yield Study(_competitors, COMPETITORS)


def _alarm(seed: int) -> Counted:
    return {"a base of noise raises an `act`": (whole.raises_an_alarm(seed), 1)}


def of_alarms() -> Iterator[Study]:
    yield Study(_alarm, {"a base of noise raises an `act`": AT_MOST})


def _truths(seed: int) -> Counted:
    told: dict[str, tuple[float, float]] = {}
    for audit_id, (truth, others) in whole.names_what_is_planted(seed).items():
        told[f"{audit_id} names what is planted"] = (truth, 1)
        told[f"of those {audit_id} names, others"] = (others, 1)
    return told


def of_truths() -> Iterator[Study]:
    goals: dict[str, str] = {}
    for audit_id in whole.PLANTED:
        goals |= {f"{audit_id} names what is planted": "at least 95 %", f"of those {audit_id} names, others": AT_MOST}
    yield Study(_truths, goals)


PARTS = {
    "intervals": of_intervals,
    "competitors": of_competitors,
    "worth": of_worth,
    "steadier": of_steadier,
    "truths": of_truths,
    "alarms": of_alarms,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulations", allow_abbrev=False)
    parser.add_argument("asked", nargs="*", metavar="RUNS | PART", help=f"a number, and any of {', '.join(PARTS)}")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    asked = parser.parse_args()
    runs = next((int(word) for word in asked.asked if word.isdigit()), RUNS)
    named = [word for word in asked.asked if not word.isdigit()]
    if unknown := [name for name in named if name not in PARTS]:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    # Each process has one core: threads of the linear algebra that wait for work there cost four times what they do.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        for name in named or PARTS:
            for study in PARTS[name]():
                for told in rates(study, runs, pool):
                    print(told, flush=True)


if __name__ == "__main__":
    main()
