"""Flask: the protection of views, and the caller of the present request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from flask import Response, current_app, json, request
from werkzeug.local import LocalProxy

from torii_backend._gate import Gate, Refused

if TYPE_CHECKING:
    from flask import Flask

    from torii_backend import ToriiAuth
    from torii_backend._settings import Options

    Applications = WeakKeyDictionary[Flask, dict[str, Any]]
else:
    Applications = WeakKeyDictionary

_AUTH = "torii.auth"


def _current() -> ToriiAuth[Any] | None:
    if _AUTH not in request.environ:
        raise RuntimeError("current_auth: this view is not protected by torii")
    return cast("ToriiAuth[Any] | None", request.environ[_AUTH])


current_auth = cast("ToriiAuth[Any]", LocalProxy(_current))
"""The caller of the present request. It is false where protection is optional and nobody is signed in."""


def present(proxy: object) -> Any:
    """Return what a proxy stands for at present: each look through the proxy costs a microsecond."""
    return cast("Any", proxy)._get_current_object()  # noqa: SLF001 -- werkzeug documents it


class Protection:
    """The gate of some views, in each application."""

    def __init__(self, apps: Applications, options: Options) -> None:
        self._apps, self._options = apps, options
        self._gates: WeakKeyDictionary[Flask, Gate] = WeakKeyDictionary()

    def gate(self) -> Gate:
        """Return the gate in the present application."""
        app = present(current_app)
        gate = self._gates.get(app)
        if gate is None:
            settings: Any = {**self._apps[app], **self._options}
            gate = self._gates[app] = Gate(**settings)
        return gate

    def admit(self) -> None:
        """Let the present request in, or raise `Refused`."""
        gate, asked = self.gate(), present(request)
        asked.environ[_AUTH] = None
        if not gate.is_preflight(asked.method, asked.environ):
            asked.environ[_AUTH] = gate.admit(asked.environ, asked.view_args)

    async def admit_async(self) -> None:
        """As `admit`, in a coroutine."""
        gate, asked = self.gate(), present(request)
        asked.environ[_AUTH] = None
        if not gate.is_preflight(asked.method, asked.environ):
            asked.environ[_AUTH] = await gate.admit_async(asked.environ, asked.view_args)


def answer(refused: Refused) -> Response:
    """Render the answer to a request that is not let in."""
    status, headers, body, _ = refused.refusal
    return Response(json.dumps(body), status, headers, content_type="application/json")
