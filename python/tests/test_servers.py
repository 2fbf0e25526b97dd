"""Servers that load an application, use the package, and then fork their workers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx
import pytest
from support.keys import USER
from support.scenarios import APPS
from support.standin import Fault, StandIn, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these servers fork")

WORKERS, CLIENTS, REQUESTS = 2, 6, 50
SERVERS = {
    "gunicorn sync": ["gunicorn", "--preload", "-k", "sync", "wsgi:application"],
    "gunicorn gthread": ["gunicorn", "--preload", "-k", "gthread", "--threads", "4", "wsgi:application"],
    "gunicorn gevent": ["gunicorn", "--preload", "-k", "gevent", "wsgi:application"],
    "gunicorn uvicorn": ["gunicorn", "--preload", "-k", "uvicorn.workers.UvicornWorker", "asgi:application"],
    "uvicorn": ["uvicorn", "asgi:application"],
}


@contextlib.contextmanager
def served(
    log: Path, command: list[str], standin: StandIn, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, which ends with the test."""
    environment = {
        **os.environ,
        "TORII_ISSUER": standin.url,
        "TOKEN": standin.token(),
        "no_proxy": "*",
        **settings,
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", *command],
            cwd=APPS,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def asked(url: str, token: str) -> list[dict[str, object]]:
    """The answers to several hundred requests of several clients."""

    def ask(_: int) -> list[dict[str, object]]:
        answers = []
        with httpx.Client(trust_env=False, timeout=20) as http:
            for number in range(REQUESTS):
                # A new connection from time to time, so that each worker gets some.
                headers = {
                    "authorization": f"Bearer {token}",
                    **({"connection": "close"} if number % 5 == 0 else {}),
                }
                answer = http.get(url, headers=headers)
                assert answer.status_code == 200, answer.text
                answers.append(answer.json())
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [answer for answers in pool.map(ask, range(CLIENTS)) for answer in answers]


def answers(url: str) -> bool:
    """Whether a server is there, whatever it says to a request without a token."""
    with contextlib.suppress(httpx.TransportError):
        return bool(httpx.get(url, trust_env=False, timeout=20).status_code)
    return False


def needs(server: str) -> None:
    """Skip a test for a library of greenlets, or for gunicorn's worker for it, that is not there."""
    for library, worker in (("gevent", "ggevent"), ("eventlet", "geventlet")):
        if server.endswith(library) and not (find_spec(library) and find_spec(f"gunicorn.workers.{worker}")):
            pytest.skip(f"{library} or gunicorn's worker for it is not there")


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_requests_of_one_worker_wait_for_keys_at_once(standin: StandIn, tmp_path: Path, library: str) -> None:
    needs(library)
    url, log = f"http://127.0.0.1:{free_port()}", tmp_path / "log"
    command = ["gunicorn", "-k", library, "--workers", "1", "--bind", url[7:], "wsgi:application"]
    with served(log, command, standin) as process:
        eventually(lambda: process.poll() is not None or answers(url), 30)
        assert process.poll() is None, log.read_text()
        standin.fault("keys", Fault(0.5))

        def ask(path: str) -> int:
            headers = {"authorization": f"Bearer {standin.token(path)}"}
            return httpx.get(url + path, headers=headers, trust_env=False, timeout=20).status_code

        started = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, (f"/{number}" for number in range(4)))) == [200] * 4
        seconds = time.monotonic() - started
    print(f"4 requests that wait for 0.5 s took {seconds:.2f} s")
    assert 0.5 <= seconds < 1.5
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("server", SERVERS)
def test_workers_verify_and_call(standin: StandIn, tmp_path: Path, server: str) -> None:
    url, log = f"http://127.0.0.1:{free_port()}", tmp_path / "log"
    name, *options = SERVERS[server]
    if server == "gunicorn uvicorn" and find_spec("uvicorn.workers") is None:
        pytest.skip("this uvicorn has no worker for gunicorn")
    needs(server)
    address = ["--bind", url[7:]] if name == "gunicorn" else ["--port", url.rpartition(":")[2]]
    with served(log, [name, *address, "--workers", str(WORKERS), *options], standin) as process:
        eventually(lambda: process.poll() is not None or answers(url), 30)
        assert process.poll() is None, log.read_text()
        seen = len(standin.requests)
        ends = asked(url, standin.token())
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert len(ends) == CLIENTS * REQUESTS
    assert {end["user"] for end in ends} == {USER}
    assert len({end["worker"] for end in ends}) == WORKERS
    if name == "gunicorn":
        assert {end["master"] for end in ends} == {process.pid}
        masters, workers = standin.requests[:seen], standin.requests[seen:]
        assert {request.kind for request in workers} == {"api"}, (
            "a worker fetched the keys that its master had"
        )
        assert not {request.peer for request in masters} & {request.peer for request in workers}


def test_prefork_workers_of_celery_verify_and_call(standin: StandIn, tmp_path: Path) -> None:
    for folder in ("messages", "control", "results"):
        (tmp_path / folder).mkdir()
    settings = {"BROKER_FOLDER": str(tmp_path)}
    log, complaint = tmp_path / "log", tmp_path / "complaint"
    worker = ["celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", str(WORKERS)]
    with served(log, worker, standin, **settings) as process:
        eventually(lambda: process.poll() is not None or standin.count("api") == 1, 30)
        with served(complaint, ["tasks_asked"], standin, **settings) as asking:
            assert asking.wait(60) == 0, complaint.read_text() + log.read_text()
        assert process.poll() is None, log.read_text()
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    masters, *others = standin.peers("api")
    assert masters not in others
    assert standin.count("keys") == 2, "a worker fetched the keys that its master had"
