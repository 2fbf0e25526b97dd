"""A WSGI application that uses the package while it is loaded, before `gunicorn --preload` forks."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Callable

import torii_backend
from scenario import USER, client

if TYPE_CHECKING:
    from collections.abc import Iterable

ISSUER = os.environ["TORII_ISSUER"]
MASTER = os.getpid()
TORII = client(ISSUER)

torii_backend.verify_token(os.environ["TOKEN"], issuer=ISSUER)
TORII.users.get(USER)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    # A path is that of an issuer of its own, whose keys are not at hand.
    issuer = ISSUER + environ["PATH_INFO"].rstrip("/")
    try:
        auth = torii_backend.authenticate_request(environ, issuer=issuer)
    except torii_backend.ToriiAuthError as refusal:
        start_response(f"{refusal.http_status} Refused", [("Content-Length", "0")])
        return []
    if issuer != ISSUER:
        start_response("200 OK", [("Content-Length", "0")])
        return []
    user = TORII.users.get(auth.user_id)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"user": str(user.id), "worker": os.getpid(), "master": MASTER}).encode()]
