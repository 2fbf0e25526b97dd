"""What holds for every adapter of a WSGI framework, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conformance.runner import ask
from conformance.wire import Connection
from support.standin import StandIn, eventually
from test_servers import answers, free_port, needs, served

if TYPE_CHECKING:
    from pathlib import Path

for framework in ("flask", "django", "rest_framework"):
    pytest.importorskip(framework)

ADAPTERS = ["wsgi", "flask", "django", "drf", "ninja"]


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_a_slow_key_endpoint_holds_up_no_other_greenlet(
    standin: StandIn, tmp_path: Path, library: str
) -> None:
    needs(library)
    port, log = free_port(), tmp_path / "log"
    command = [
        "gunicorn",
        "-k",
        library,
        "--workers",
        "1",
        "--bind",
        f"127.0.0.1:{port}",
        "adapters:application",
    ]
    with served(log, command, standin) as process:
        eventually(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/public"), 60)
        assert process.poll() is None, log.read_text()
        standin.hold("keys")
        waiting = [Connection(port) for _ in ADAPTERS]
        for connection, name in zip(waiting, ADAPTERS):
            token = standin.token(f"/{name}")
            head = f"GET /{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.send(head.encode())
        # One worker, one thread: were it to wait, it would ask for one issuer's keys, and answer nobody.
        eventually(lambda: standin.count("keys") == len(ADAPTERS))
        for _ in range(20):
            assert ask(port, {"method": "GET", "target": "/public", "headers": []}).status == 200
        assert not any(connection.is_answered for connection in waiting)
        standin.release()
        assert [connection.answer("GET", last=False).status for connection in waiting] == [200] * len(
            ADAPTERS
        )
        for connection in waiting:
            connection.close()
    assert "Traceback" not in log.read_text()
