"""What the scenarios in this folder share. A test plays one with `support.scenarios`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Callable

import torii_backend

SECRET_KEY = "sk_test_0123456789abcdef"
USER = "01931a73-8b00-7000-8000-000000000001"


def play(scenarios: dict[str, Callable[..., Any]]) -> None:
    """Plays the scenario of the command line with the arguments on standard input, and prints its report."""
    report = scenarios[sys.argv[1]](**json.loads(input()))
    if report is not None:
        print(json.dumps(report), flush=True)


def client(url: str, **settings: Any) -> torii_backend.ToriiClient:
    return torii_backend.create_torii_client(**{"secret_key": SECRET_KEY, "api_url": url, **settings})


def async_client(url: str, **settings: Any) -> torii_backend.AsyncToriiClient:
    return torii_backend.AsyncToriiClient(**{"secret_key": SECRET_KEY, "api_url": url, **settings})


def descriptors() -> int:
    """How many files and sockets this process has open, but for the one that looks."""
    return len(os.listdir("/dev/fd")) - 1


def threads() -> int:
    """How many threads this process has, those that Python does not know too."""
    return len(os.listdir("/proc/self/task"))


def resident() -> int:
    """How many MiB of memory this process uses."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4 // 1024
