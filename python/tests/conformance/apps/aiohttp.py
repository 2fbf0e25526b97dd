"""aiohttp: a subapplication to a route, with a middleware of its own; half of the guards are `requires`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web
from torii_backend.aiohttp import AUTH, auth_middleware, requires

from conformance import application, servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

# aiohttp looks for subprotocols in the first header only.
ADAPTER = Adapter(decided_elsewhere=frozenset({"WebSocket: a token in a subprotocol, over two headers"}))


def served() -> AbstractContextManager[int]:
    return servers.aiohttp(root)


def small(**settings: Any) -> AbstractContextManager[int]:
    """A server with `/public`, and with `/me` behind an adapter with these settings."""

    def made() -> web.Application:
        app, inside = web.Application(), web.Application(middlewares=[auth_middleware(**settings)])
        app.router.add_get("/public", public)
        inside.router.add_get("", caller)
        app.add_subapp("/me", inside)
        return app

    return servers.aiohttp(made)


def root() -> web.Application:
    app = web.Application()
    app.router.add_get("/public", public)
    answers = dict.fromkeys(application.ANSWERED_BY_CALLER, caller)
    answers.update({"/optional": optional, "/claims": claims, "/issuers": issuer, "/stream": stream})
    for path, handler in answers.items():
        app.add_subapp(path, protected(path, handler))
    app.add_subapp("/orgs", protected("/orgs", caller, "/{org_id}"))
    app.add_subapp("/upload", protected("/upload", upload, method="POST"))
    for path in ("/cors", "/closed"):
        one = protected(path, caller)
        one.router.add_options("", options)
        app.add_subapp(path, one)
    outer = auth_middleware(verifier=application.verifier("outer"))
    app.add_subapp("/two", protected("/two", issuer, outer=[outer]))
    for path in application.WEBSOCKETS:
        app.add_subapp(path, protected(path, live))
    return app


def protected(
    path: str, handler: Any, route: str = "", method: str = "GET", outer: Any = ()
) -> web.Application:
    settings = application.gate(path)
    require = settings.pop("require", None)
    # With every other guard on the middleware, both are tested.
    if require is not None and len(path) % 2:
        settings["require"] = require
    elif require is not None:
        handler = requires(require)(own(handler))
    app = web.Application(middlewares=[*outer, auth_middleware(**settings)], client_max_size=10**7)
    # Like `add_get`, with HEAD.
    app.router.add_routes([web.post(route, handler) if method == "POST" else web.get(route, handler)])
    return app


def own(handler: Any) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    return handle


async def public(request: web.Request) -> web.Response:
    return web.json_response({"public": True})


async def caller(request: web.Request) -> web.Response:
    return web.json_response(application.caller(request[AUTH]))


async def issuer(request: web.Request) -> web.Response:
    return web.json_response(application.caller_and_issuer(request[AUTH]))


async def optional(request: web.Request) -> web.Response:
    auth = request.get(AUTH)
    return web.json_response({"user_id": auth and auth.user_id})


async def claims(request: web.Request) -> web.Response:
    return web.json_response(application.plan(request[AUTH].claims))


async def upload(request: web.Request) -> web.Response:
    return web.json_response({"user_id": request[AUTH].user_id, "bytes": len(await request.read())})


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for part in application.STREAM:
        await response.write(part)
    await response.write_eof()
    return response


async def options(request: web.Request) -> web.Response:
    return web.Response(status=204, headers=application.ALLOWED_ORIGIN)


async def live(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=["bearer"] if request.path == "/ws-protocol" else [])
    await socket.prepare(request)
    await socket.send_str(request[AUTH].user_id)
    await socket.close()
    return socket
