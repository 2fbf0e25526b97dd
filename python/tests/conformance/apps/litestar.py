"""Litestar: a middleware and guards on each handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Response, Router, WebSocket, get, head, post, route, websocket
from litestar.response import Stream
from torii_backend.litestar import requires, torii_auth

from conformance import application, servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ADAPTER = Adapter(error_member="extra")


def served() -> AbstractContextManager[int]:
    handlers = [
        *(get(path, **protected(path))(caller) for path in application.ANSWERED_BY_CALLER),
        head("/me", **protected("/me"))(no_body),
        get("/orgs/{org_id:str}", **protected("/orgs"))(caller),
        get("/optional", **protected("/optional"))(optional),
        get("/claims", **protected("/claims"))(claims),
        get("/issuers", **protected("/issuers"))(issuer),
        get(
            "/two",
            middleware=[
                torii_auth(verifier=application.verifier("outer")),
                torii_auth(**application.gate("/two")),
            ],
        )(issuer),
        get("/stream", **protected("/stream"))(stream),
        post("/upload", request_max_body_size=None, status_code=200, **protected("/upload"))(upload),
        get("/public", middleware=[torii_auth(**application.gate("/me"))], exclude_from_auth=True)(public),
        *(
            Router(path, route_handlers=[preflight, get()(caller)], **protected(path))
            for path in ("/cors", "/closed")
        ),
        *(websocket(path, **protected(path))(live) for path in application.WEBSOCKETS),
    ]
    return servers.uvicorn(Litestar(handlers, openapi_config=None))


def small(**settings: Any) -> AbstractContextManager[int]:
    """A server with `/public`, and with `/me` behind an adapter with these settings."""
    handlers = [get("/me")(caller), get("/public", exclude_from_auth=True)(public)]
    return servers.uvicorn(Litestar(handlers, middleware=[torii_auth(**settings)], openapi_config=None))


def protected(path: str) -> dict[str, Any]:
    settings = application.gate(path)
    require = settings.pop("require", None)
    # With every other guard on the middleware, both are tested.
    if require is not None and len(path) % 2:
        settings["require"] = require
        require = None
    guards = [] if require is None else [requires(require)]
    return {"middleware": [torii_auth(**settings)], "guards": guards}


async def caller(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return application.caller(request.auth)


async def no_body(request: Request[Any, Any, Any]) -> None: ...


async def optional(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"user_id": request.auth and request.auth.user_id}


async def claims(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return application.plan(request.auth.claims)


async def issuer(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return application.caller_and_issuer(request.auth)


async def public() -> dict[str, Any]:
    return {"public": True}


async def stream(request: Request[Any, Any, Any]) -> Stream:
    return Stream(iter(application.STREAM))


async def upload(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"user_id": request.auth.user_id, "bytes": len(await request.body())}


@route(http_method=["OPTIONS"], status_code=204)
async def preflight() -> Response[None]:
    return Response(None, headers=application.ALLOWED_ORIGIN)


async def live(socket: WebSocket[Any, Any, Any]) -> None:
    # The middleware selects the subprotocol.
    await socket.accept()
    await socket.send_text(socket.auth.user_id)
    await socket.close()
