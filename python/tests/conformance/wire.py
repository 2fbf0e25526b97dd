"""HTTP and WebSocket as bytes: a case is sent as it stands, and what comes back is read strictly."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import select
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

_TIMEOUT = 20
# aiohttp answers what it cannot parse as HTTP/1.0.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [\x20-\x7e]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)")


class MalformedError(Exception):
    """What came back is not HTTP, or not as the request asked for."""


class Answer(NamedTuple):
    """An answer of a server; of a WebSocket, `body` is the first message."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    close: int | None = None

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field == name]


class Connection:
    """A connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    @property
    def is_answered(self) -> bool:
        """Whether there is something to read."""
        return bool(self._read or select.select([self._socket], [], [], 0)[0])

    def send(self, data: bytes) -> None:
        # The server may have answered before it had read everything.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._read += data
        return bool(data)

    def _exactly(self, length: int) -> bytes:
        while len(self._read) < length:
            if not self._more():
                raise MalformedError(f"the connection ended {length - len(self._read)} bytes early")
        taken, self._read = self._read[:length], self._read[length:]
        return taken

    def _line(self) -> bytes:
        while b"\r\n" not in self._read:
            if not self._more():
                raise MalformedError("the connection ended in the answer's head")
        line, self._read = self._read.split(b"\r\n", 1)
        return line

    def answer(self, method: str, *, last: bool) -> Answer:
        """Read an answer; with `last`, nothing may come after it."""
        status, headers = self._head()
        while 100 <= status < 200 and status != 101:
            status, headers = self._head()
        answer = Answer(status, headers, b"")
        if method != "HEAD" and status not in (101, 204, 304):
            answer = answer._replace(body=self._body(answer))
        if last and status != 101 and (self._read or self._more()):
            raise MalformedError("something follows the answer")
        return answer

    def wait_for_continue(self) -> None:
        """Read the answer to `Expect: 100-continue`."""
        status, _ = self._head()
        if status != 100:
            raise MalformedError(f"{status} in place of 100")

    def _head(self) -> tuple[int, list[tuple[str, str]]]:
        first = self._line()
        status = _STATUS_LINE.fullmatch(first)
        if status is None:
            raise MalformedError("no status line")
        headers = []
        for line in iter(self._line, b""):
            field = _FIELD.fullmatch(line)
            if field is None:
                raise MalformedError("a field line is not one")
            headers.append((field[1].decode().lower(), field[2].decode().strip()))
        return int(status[1]), headers

    def _body(self, answer: Answer) -> bytes:
        lengths, encodings = answer.values("content-length"), answer.values("transfer-encoding")
        if len(lengths) + len(encodings) > 1:
            raise MalformedError("the body's length is said twice")
        if encodings:
            return self._chunks()
        if lengths:
            return self._exactly(int(lengths[0]))
        while self._more():
            pass
        body, self._read = self._read, b""
        return body

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._line(), 16):
            body += self._exactly(size)
            if self._line():
                raise MalformedError("a chunk does not end where it says")
        if self._line():
            raise MalformedError("trailers")
        return body

    def message(self) -> tuple[int, bytes]:
        """Read a WebSocket's frame: its opcode and what it carries."""
        first, length = self._exactly(2)
        if first & 0xF0 != 0x80 or length & 0x80:
            raise MalformedError("a frame is in parts, or masked")
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        return first & 0x0F, self._exactly(length)


def websocket_headers() -> tuple[list[tuple[str, str]], str]:
    """Return the headers of a handshake, and what a server must answer to its key."""
    key = base64.b64encode(os.urandom(16)).decode()
    accept = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
    }
    return list(headers.items()), base64.b64encode(accept).decode()
