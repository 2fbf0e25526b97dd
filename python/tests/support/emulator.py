"""The local torii that the tests run against: `torii dev` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]
_SECONDS = 30.0
# No proxy stands between two processes of one machine.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Emulator:
    """A `torii dev` in memory, on a free port (what it does for tests: `crates/torii-emulator/README.md`)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [program(), "dev", "--in-memory", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the local torii did not start: exit code {self._process.wait(_SECONDS)}")
        started = json.loads(line)
        self.issuer: str = started["issuer"]
        self.api_url: str = started["apiUrl"]
        self.secret_key: str = started["secretKey"]

    def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of the control plane, such as `control("POST", "/keys/rotate")`, and its reply."""
        return self._call(method, f"/_emulator/v1{path}", body)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """A call of the backend API without the SDK: `api("POST", "/users", {"email": "x@y.com"})`."""
        return self._call(method, f"/api/server/v1{path}", body)

    def create_user(self, **members: object) -> Any:
        return self.api("POST", "/users", members)

    def mint(self, user_id: str | None = None, **request: object) -> str:
        """A token for a user, for a new one unless it is given. `request` goes to `POST /tokens`."""
        body = {"userId": user_id or self.create_user()["id"], **request}
        token: str = self.control("POST", "/tokens", body)["token"]
        return token

    def reset(self) -> None:
        """Forgets data, settings, faults and requests; keys stay."""
        self.control("POST", "/reset")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()

    def _call(self, method: str, path: str, body: object) -> Any:
        headers = {
            "Authorization": f"Bearer {self.secret_key}",
            "Content-Type": "application/json",
            # The control plane demands it, with any value.
            "X-Torii-Emulator": "1",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api_url + path, data, headers, method=method)
        try:
            with _http.open(request, timeout=_SECONDS) as reply:
                text = reply.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text else None


def program() -> str:
    program = Path(os.environ.get("TORII_BIN") or REPOSITORY / "target/debug/torii")
    if not program.is_file():
        raise RuntimeError(f"no {program}: `cargo build -p torii-cli` makes it, TORII_BIN names another")
    return str(program)
