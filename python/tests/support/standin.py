"""A stand-in for torii on a loopback port: its keys, one user, and the faults that a test asks for.

It counts connections and remembers each request's peer, so that a test can tell whose connection carried it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, NamedTuple

from support.keys import ENVIRONMENT, USER, SigningKey

KEYS_PATH = "/_torii/.well-known/jwks.json"
_USER = {
    "id": USER,
    "environmentId": ENVIRONMENT,
    "name": "Ada Lovelace",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "locale": None,
    "status": "active",
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-01T00:00:00Z",
    "email": "ada@example.com",
    "emailVerifiedAt": None,
    "deletedAt": None,
    "publicMetadata": {},
    "privateMetadata": {},
    "unsafeMetadata": {},
}
_PAGES = (
    {"items": [_USER], "nextCursor": USER, "hasMore": True},
    {"items": [_USER], "nextCursor": None, "hasMore": False},
)
_LONG = 120.0


class Request(NamedTuple):
    kind: str
    """`keys`, `api`, or `page` for what follows on a list's first page."""
    method: str
    path: str
    peer: int
    """The port at the other end of its connection."""


@dataclass
class Fault:
    """What happens to the requests of one kind until another is set."""

    seconds: float = 0.0
    """How long an answer takes, unless its connection ends first."""
    half: bool = False
    """Whether a part of the answer is sent before."""
    retry_after: int | None = None
    """Answers with 503 and this, if it is not `None`."""


class StandIn(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = SigningKey("first")
        self.published = [self.key]
        self.requests: list[Request] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._gates = [os.pipe()]
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def token(self, prefix: str = "", **claims: object) -> str:
        """A good token of this issuer, or of the one under `prefix`, which has the same keys."""
        return self.key.token(self.url + prefix, **claims)

    def fault(self, kind: str, fault: Fault) -> None:
        self._faults[kind] = fault

    def hold(self, kind: str, *, half: bool = False) -> None:
        """Answers nothing, or only the first half, until `release`."""
        self.fault(kind, Fault(_LONG, half=half))

    def release(self) -> None:
        """Ends every fault. What is held is answered."""
        self._faults = {}
        self._gates.append(os.pipe())
        os.close(self._gates[-2][1])

    def count(self, kind: str) -> int:
        return sum(request.kind == kind for request in list(self.requests))

    def peers(self, kind: str) -> list[int]:
        return [request.peer for request in list(self.requests) if request.kind == kind]

    def close(self) -> None:
        self.release()
        self.shutdown()
        self.server_close()
        for gate in (*(read for read, _ in self._gates), self._gates[-1][1]):
            os.close(gate)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # pyright: ignore
        with self._lock:
            self.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # pyright: ignore
        super().shutdown_request(request)
        with self._lock:
            self.connections -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that its client ended is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.endswith(KEYS_PATH):
            keys = [key.jwk() for key in self.server.published]
            self._answer("keys", {"keys": keys})
        else:
            self._answer("api", _USER)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.startswith("/api/server/v1/users/search"):
            further = "cursor=" in self.path
            self._answer("page" if further else "api", _PAGES[further])
        else:
            self._answer("api", _USER)

    def _answer(self, kind: str, answer: object) -> None:
        gate, fault = self.server._gates[-1][0], self.server._faults.get(kind, Fault())
        self.server.requests.append(Request(kind, self.command, self.path, self.client_address[1]))
        body = json.dumps(answer).encode()
        half = len(body) // 2 if fault.half else 0
        if half:
            self._head(200, body)
            self.wfile.write(body[:half])
        if not self._wait(gate, fault.seconds):
            self.close_connection = True
            return
        if not half:
            self._head(200 if fault.retry_after is None else 503, body, fault.retry_after)
        self.wfile.write(body[half:])

    def _head(self, status: int, body: bytes, retry_after: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()

    def _wait(self, gate: int, seconds: float) -> bool:
        """Whether the client is still there after `seconds`, or when it is released."""
        if not seconds:
            return True
        wait = select.poll()
        wait.register(self.connection, select.POLLIN | select.POLLHUP)
        wait.register(gate, select.POLLIN | select.POLLHUP)
        return all(ready != self.connection.fileno() for ready, _ in wait.poll(seconds * 1000))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


class BlackHole:
    """A port whose connections are neither accepted nor refused: its queue is full."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        address = self._listener.getsockname()
        self._queue: list[socket.socket] = []
        for _ in range(16):
            waiting = socket.socket()
            waiting.settimeout(0.2)
            self._queue.append(waiting)
            try:
                waiting.connect(address)
            except OSError:
                break
        else:
            raise AssertionError("the queue has no end")
        self.url = "http://{}:{}".format(*address)

    def token(self) -> str:
        return SigningKey("nobody's").token(self.url)

    def close(self) -> None:
        for each in (*self._queue, self._listener):
            each.close()


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits until something becomes true, and fails if it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
