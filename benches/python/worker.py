"""How a worker is asked: a line of JSON in and one out, until the input ends. As `rust/src/measure.rs`."""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Sample = dict[str, float]
BLOCK = 32
"""Operations between two looks at the clock."""


class Case(NamedTuple):
    """What is to be measured."""

    name: str
    size: int = 0
    threads: int = 1
    milliseconds: int = 0


class World(NamedTuple):
    """What all workers share, as the canned server wrote it."""

    url: str
    secret_key: str
    user_id: str
    jwk: dict[str, Any]
    tokens: list[str]


def load(folder: str) -> World:
    world = json.loads((Path(folder) / "world.json").read_text())
    tokens = (Path(folder) / "tokens.txt").read_text().split("\n")
    return World(world["url"], world["secret_key"], world["user_id"], world["jwk"], tokens)


def answer(measure: Callable[[Case], Sample]) -> None:
    """Answers until nobody asks any more."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        sample = measure(Case(**json.loads(line)))
        print(json.dumps({**sample, "resident": resident()}), flush=True)


def repeat(case: Case, block: Callable[[int], list[Any]], operation: Callable[[Any], object]) -> Sample:
    """Repeats an operation on each of the case's threads until its time is over.

    `block` gives a thread, which says what it has done, the arguments of its next `BLOCK` operations, or one
    argument that stands for so many.
    """
    barrier = threading.Barrier(case.threads)
    outcomes: list[tuple[int, int]] = []

    def work(thread: int) -> None:
        barrier.wait()
        done = 0
        start = now = time.perf_counter_ns()
        while now - start < case.milliseconds * 1_000_000:
            for argument in block(thread * 7919 + done):
                operation(argument)
            done += BLOCK
            now = time.perf_counter_ns()
        outcomes.append((done, now - start))

    cpu = time.process_time_ns()
    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(1, case.threads)]
    for thread in threads:
        thread.start()
    work(0)
    for thread in threads:
        thread.join()
    cpu = time.process_time_ns() - cpu
    if len(outcomes) < case.threads:
        raise RuntimeError("a thread failed")
    rate = sum(done / nanoseconds for done, nanoseconds in outcomes)
    return {"ns": 1 / rate, "cpu_ns": cpu / sum(done for done, _ in outcomes)}


class Tokens:
    """The two orders in which tokens come."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._unseen = itertools.count(step=BLOCK)

    def cold(self, _: int) -> list[str]:
        first = next(self._unseen)
        block = self._tokens[first : first + BLOCK]
        if len(block) < BLOCK:
            raise RuntimeError("every token has been seen")
        return block

    def hot(self, size: int) -> Callable[[int], list[str]]:
        tokens = self._tokens[:size]
        around = tokens + tokens[:BLOCK] if size >= BLOCK else tokens * (2 * BLOCK)
        return lambda done: around[done % size : done % size + BLOCK]


def resident() -> float:
    """Memory of this process that is really there, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")
