"""Starlette: a middleware around an application, guards on its endpoints, and middlewares of routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from torii_backend.starlette import AuthMiddleware, requires

from conformance import application, servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.requests import Request

if not hasattr(WebSocket, "send_denial_response"):
    raise ImportError("older than what the extra needs", name="starlette")

ADAPTER = Adapter()

PLAIN = Middleware(AuthMiddleware, verifier=application.verifier())
UNGUARDED = ["/me", "/cookie", "/token-header", "/unavailable", "/hook"]
GUARDED = [path for path in application.ANSWERED_BY_CALLER if path not in UNGUARDED]


def served() -> AbstractContextManager[int]:
    return servers.uvicorn(app)


def small(**settings: Any) -> AbstractContextManager[int]:
    """A server with `/public`, and with `/me` behind an adapter with these settings."""
    protected = Route("/me", caller, middleware=[Middleware(AuthMiddleware, **settings)])
    return servers.uvicorn(Starlette(routes=[protected, Route("/public", public)]))


def own(path: str) -> list[Middleware]:
    """The middleware of a route that has one of its own."""
    return [Middleware(AuthMiddleware, **application.gate(path))]


async def caller(request: Request) -> Response:
    return JSONResponse(application.caller(request.state.torii))


def caller_in_thread(request: Request) -> Response:
    return JSONResponse(application.caller(request.state.torii))


async def caller_and_issuer(request: Request) -> Response:
    return JSONResponse(application.caller_and_issuer(request.state.torii))


async def upload(request: Request) -> Response:
    read = 0
    async for part in request.stream():
        read += len(part)
    return JSONResponse({"user_id": request.state.torii.user_id, "bytes": read})


async def stream(request: Request) -> Response:
    return StreamingResponse(iter(application.STREAM))


async def optional(request: Request) -> Response:
    auth = request.state.torii
    return JSONResponse({"user_id": auth and auth.user_id})


async def public(request: Request) -> Response:
    return JSONResponse({"public": True})


async def claims(request: Request) -> Response:
    return JSONResponse(application.plan(request.state.torii.claims))


async def with_options(request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(None, 204, application.ALLOWED_ORIGIN)
    return await caller(request)


@requires(application.ORGS)
class Organization(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return await caller(request)


class Administrators(HTTPEndpoint):
    @requires(application.GUARDS["/admin"])
    async def get(self, request: Request) -> Response:
        return await caller(request)


async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.state.torii.user_id)
    await socket.close()


@requires(application.GUARDS["/ws-lost"])
class Live(WebSocketEndpoint):
    async def on_connect(self, websocket: WebSocket) -> None:
        await live(websocket)


def guarded(path: str) -> Any:
    """Endpoints of several kinds, which are guarded by the decorator."""
    if path == "/admin":
        return Administrators
    endpoint = caller_in_thread if len(path) % 2 else caller

    def fresh(request: Request) -> Any:
        return endpoint(request)

    return requires(application.GUARDS[path])(fresh if endpoint is caller_in_thread else _awaiting(fresh))


def _awaiting(endpoint: Any) -> Any:
    async def fresh(request: Request) -> Response:
        return await endpoint(request)

    return fresh


behind_one = Starlette(
    routes=[
        Route("/me", caller),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/closed", with_options, methods=["GET", "OPTIONS"]),
        *(Route(path, guarded(path)) for path in GUARDED),
        Route("/orgs/{org_id}", Organization),
        WebSocketRoute("/ws", live),
        WebSocketRoute("/ws-admin", requires(application.GUARDS["/ws-admin"])(live)),
        WebSocketRoute("/ws-lost", Live),
    ],
    middleware=[PLAIN],
)
app = Starlette(
    routes=[
        Route("/public", public),
        *(Route(path, caller, middleware=own(path)) for path in UNGUARDED if path != "/me"),
        Route("/optional", optional, middleware=own("/optional")),
        Route("/claims", claims, middleware=own("/claims")),
        Route("/issuers", caller_and_issuer, middleware=own("/issuers")),
        Route("/cors", with_options, methods=["GET", "OPTIONS"], middleware=own("/cors")),
        Route(
            "/two",
            caller_and_issuer,
            middleware=[Middleware(AuthMiddleware, verifier=application.verifier("outer")), *own("/two")],
        ),
        *(
            WebSocketRoute(path, live, middleware=own(path))
            for path in ("/ws-protocol", "/ws-cookie", "/ws-unavailable")
        ),
        Mount("/", app=behind_one),
    ]
)
