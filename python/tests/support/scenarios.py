"""Runs the scenarios in `apps/` as processes of their own, without the threads and sockets of the tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

APPS = Path(__file__).parent.parent / "apps"
_OPTIONS = ("-X", "faulthandler", "-W", "error")


class Scenario:
    """A scenario under way. It ends with the `with` that it is in, if not by itself."""

    def __init__(
        self, app: str, name: str, *options: str, more: tuple[str, ...] = (), **arguments: object
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *_OPTIONS, *options, str(APPS / f"{app}.py"), name, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "no_proxy": "*"},
            start_new_session=True,
        )
        self.say(json.dumps(arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        # What it started and left behind ends too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        _, complaint = self._process.communicate()
        if failed:
            print(complaint)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def hear(self) -> str:
        """The next line that it says."""
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            self.end()
        return line

    def say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def end(self, seconds: float = 60.0, *, code: int = 0) -> Any:
        """What it reports. It ends by itself and in time, with `code` and nothing on standard error."""
        said, complaint = self._ended(seconds)
        assert (self._process.returncode, complaint) == (code, ""), f"{said}\n{complaint}"
        lines = said.splitlines()
        return json.loads(lines[-1]) if lines else None

    def listen(self) -> str:
        """All that it says until it ends well, on standard error too."""
        said, complaint = self._ended(60.0)
        assert self._process.returncode == 0, f"{said}\n{complaint}"
        return said + complaint

    def _ended(self, seconds: float) -> tuple[str, str]:
        try:
            return self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # It says where its threads are, unless a child of its own keeps its standard error open.
            self._process.send_signal(signal.SIGABRT)
            _, complaint = self._process.communicate(timeout=5)
            raise AssertionError(f"it hung:\n{complaint}") from None


def run(app: str, name: str, *options: str, seconds: float = 60.0, code: int = 0, **arguments: object) -> Any:
    """Plays a scenario to its end, and gives what it reports."""
    with Scenario(app, name, *options, **arguments) as scenario:
        return scenario.end(seconds, code=code)
