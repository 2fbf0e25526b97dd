"""What `import torii_backend` and verification bring into a process, and what they leave out."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.standin import StandIn

# Each step tells the modules that are new, the threads and the open sockets, as far as /proc knows them.
PROGRAM = """
import os, sys, time
known, start, memory = set(sys.modules), time.perf_counter(), 0
steps = {}

def listed(path):
    return os.listdir(path) if os.path.isdir(path) else []

def sockets():
    links = (os.path.join("/proc/self/fd", fd) for fd in listed("/proc/self/fd"))
    return sum(os.path.islink(link) and os.readlink(link).startswith("socket:") for link in links)

def threads():
    names = []
    for task in set(listed("/proc/self/task")) - {str(os.getpid())}:
        with open(f"/proc/self/task/{task}/comm") as comm:
            names.append(comm.read().strip())
    return names

def resident():
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0

def step(name):
    steps[name] = {
        "ms": (time.perf_counter() - start) * 1000,
        "MiB": resident() - memory,
        "modules": sorted(set(sys.modules) - known),
        "threads": threads(),
        "sockets": sockets(),
    }

memory = resident()
start = time.perf_counter()
import torii_backend
step("import")
verifier = torii_backend.Verifier(sys.argv[1])
step("construct")
torii_backend.verify_token(sys.argv[2], issuer=sys.argv[1])
step("verify")
client = torii_backend.create_torii_client(secret_key="sk_test_import", api_url=sys.argv[1])
step("client")
import json
print(json.dumps(steps))
"""

HEAVY = {"asyncio", "cryptography", "dataclasses", "http", "inspect", "json", "jwt", "logging", "pydantic"}
HEAVY |= {"pydantic_core", "socket", "ssl", "threading", "typing_extensions", "urllib"}


@pytest.fixture
def steps(standin: StandIn) -> Any:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, standin.url, standin.token()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


def test_verification_loads_nothing_heavy(steps: Any) -> None:
    for name in ("import", "construct", "verify"):
        assert not HEAVY.intersection(steps[name]["modules"]), name
    # Or else this test looks for the wrong names.
    assert "pydantic" in steps["client"]["modules"]


def test_nothing_is_started_before_it_is_needed(steps: Any) -> None:
    for name in ("import", "construct"):
        assert (steps[name]["threads"], steps[name]["sockets"]) == ([], 0), name
    for name in ("verify", "client"):
        assert set(steps[name]["threads"]) <= {"torii-http", "torii-deadlines"}, name


def test_what_the_import_costs_is_shown(steps: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cost = steps["import"]
    with capsys.disabled():
        print(f"\nimport torii_backend: {cost['ms']:.1f} ms, {cost['MiB']:.1f} MiB, {cost['modules']}")
    assert "torii_backend._native" in steps["verify"]["modules"]
