"""A server on a loopback port that writes down what it is sent and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    """With the query, as it was encoded."""
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that was sent at most once."""
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


class Recorder(ThreadingHTTPServer):
    """Answers each request with the next reply of its script, and with 500 when there is none."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Request] = []
        self.script: deque[Reply] = deque()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def reply(self, status: int = 200, body: object = None, **headers: str) -> None:
        """Adds a reply: bytes and text as they stand, anything else as JSON, `None` for an empty body.

        An underscore in a header's name stands for a hyphen: `retry_after="2"`.
        """
        if body is None:
            content = b""
        elif isinstance(body, bytes):
            content = body
        else:
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        self.script.append(Reply(status, content, {"Content-Type": "application/json", **named}))

    def take(self) -> Request:
        """The one request that came since the last time."""
        (request,) = self.requests
        self.requests.clear()
        return request

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that its client ended is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append(Request(self.command, self.path, list(self.headers.items()), body))
        try:
            reply = self.server.script.popleft()
        except IndexError:
            reply = Reply(500, b'{"title":"no reply is scripted for this request"}', {})
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Says nothing."""
