"""Workers, and asking them in turns: every round has all peers in it, so that slow moments meet them all."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE = 600
"""Seconds until an answer is not waited for any longer."""
Sample = dict[str, float]
"""What was measured, by metric: `ns`, `cpu_ns`, `bytes`, `resident`."""
Round = dict[str, dict[str, Sample]]
"""The samples of a round: by case, then by peer."""


class Peer(NamedTuple):
    """Somebody who is measured."""

    name: str
    command: list[str]
    against: str | None = None
    """The peer that the ratios in its row refer to."""


class Case(NamedTuple):
    """Something that all peers of a comparison do."""

    label: str
    arguments: dict[str, Any]


class Comparison(NamedTuple):
    """Peers that are measured in the same rounds."""

    name: str
    title: str
    peers: Sequence[Peer]
    cases: Sequence[Case]
    metrics: Sequence[str]
    rounds: int
    note: str = ""


class WorkerError(Exception):
    """A worker did not start or did not answer."""


class Worker:
    """A process that answers one line to each line. It ends when its input does."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # No proxy stands between two processes of one machine.
                env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            )
        self._log = log
        try:
            self.greeting = self._read()
        except WorkerError:
            self.close()
            raise

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self, case: Case) -> Sample:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(case.arguments) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # It has ended; what it left in the log says why.
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout
        answers, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        if not answers:
            raise WorkerError(f"{' '.join(self._command)}: no answer in {PATIENCE} s")
        line = self._process.stdout.readline()
        if not line:
            last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            raise WorkerError(f"{' '.join(self._command)}: {''.join(last) or 'it ended'}")
        return json.loads(line)


def run(comparison: Comparison, log: Path) -> list[Round]:
    """All rounds of a comparison. A peer that fails is left out, and said to be."""
    results: list[Round] = []
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for peer in comparison.peers:
            try:
                workers[peer.name] = stack.enter_context(closing(Worker(peer.command, log)))
            except WorkerError as error:
                _say(f"left out: {peer.name}: {error}")
        for number in range(comparison.rounds):
            this: Round = {case.label: {} for case in comparison.cases}
            # Another one begins each time, so that nobody always follows the same one.
            names = list(workers)
            names = names[number % max(len(names), 1) :] + names[: number % max(len(names), 1)]
            for case in comparison.cases:
                for name in names:
                    try:
                        if name in workers:
                            this[case.label][name] = workers[name].ask(case)
                    except WorkerError as error:
                        _say(f"left out from now on: {name}: {error}")
                        del workers[name]
            results.append(this)
    return results


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
