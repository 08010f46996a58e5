"""Tasks done side by side, each as soon as those it needs are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import TypeVar

import duckdb

from crmaudit.database import Database

T = TypeVar("T")

WORKERS_AT_MOST = 4
"""Each holds a query's memory; beyond a few the database's own threads do more."""

INTERRUPT_SECONDS = 0.1


def side_by_side(db: Database, needs: Mapping[str, Iterable[str]], do: Callable[[Database, str], T]) -> dict[str, T]:
    """Task -> what `do` made of it, in the order of `needs`, which maps every task to those that come before it.

    `do` gets a connection that no other task uses meanwhile. There are as many workers as the database has threads: one
    plans or fits while another reads. What has too little memory beside others is done once more, alone. The first
    other error, or Ctrl-C, ends the others and is raised.
    """
    workers = min(WORKERS_AT_MOST, int(db.scalar("select current_setting('threads')")))
    connections = [db.beside() for _ in range(workers)]
    idle: SimpleQueue[Database] = SimpleQueue()
    for connection in connections:
        idle.put(connection)

    def work(task: str) -> T:
        connection = idle.get()
        try:
            return do(connection, task)
        finally:
            idle.put(connection)

    height = _heights(needs)
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    done: dict[str, T] = {}
    running: dict[Future[T], str] = {}
    ready: list[str] = []
    starved: list[str] = []
    pool = ThreadPoolExecutor(workers)

    def begin(task: str) -> None:
        running[pool.submit(work, task)] = task

    try:
        while sorter.is_active():
            ready = sorted([*ready, *sorter.get_ready()], key=lambda task: -height[task])
            is_alone = bool(starved) and not running
            if is_alone:
                begin(starved.pop(0))
            while ready and not starved and not is_alone and len(running) < workers:
                begin(ready.pop(0))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                if not is_alone and isinstance(future.exception(), duckdb.OutOfMemoryException):
                    starved.append(task)
                    continue
                done[task] = future.result()
                sorter.done(task)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        while wait([f for f in running if not f.cancelled()], timeout=INTERRUPT_SECONDS).not_done:
            # Whoever is between two statements now is interrupted in the next.
            for connection in connections:
                connection.con.interrupt()
        for connection in connections:
            connection.con.close()
    return {task: done[task] for task in needs}


def _heights(needs: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How long the chain of tasks is that waits for each: the longest is to begin first."""
    height = dict.fromkeys(needs, 0)
    for task in reversed(list(TopologicalSorter(needs).static_order())):
        for before in needs[task]:
            height[before] = max(height[before], height[task] + 1)
    return height
