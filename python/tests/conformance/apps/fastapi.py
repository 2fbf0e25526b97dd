"""FastAPI: a dependency for each route, and further ones that require more of its caller."""

from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from torii_backend import ToriiAuth
from torii_backend._fastapi import ANSWERS_WEBSOCKETS
from torii_backend.fastapi import require_auth

from conformance import application, servers
from conformance.runner import Adapter

# A dependency lets nothing through unseen: that is what CORSMiddleware is for.
ADAPTER = Adapter(
    lacks=frozenset({"preflight"}),
    error_member="detail",
    refuses_by_closing=not ANSWERS_WEBSOCKETS,
)

PLAIN = require_auth(verifier=application.verifier())
OUTER = require_auth(verifier=application.verifier("outer"), scheme_name="outer")
# Guards on one dependency, but for those of two routes, which have a dependency of their own.
OWN = ["/cookie", "/token-header", "/unavailable", "/hook", "/admin", "/lost"]


def served() -> AbstractContextManager[int]:
    return servers.uvicorn(app)


def small(**settings: Any) -> AbstractContextManager[int]:
    """A server with `/public`, and with `/me` behind an adapter with these settings."""
    depends, app = require_auth(**settings), FastAPI()

    @app.get("/me")
    async def me(auth: Annotated[ToriiAuth, Depends(depends)]) -> Any:
        return application.caller(auth)

    @app.get("/public")
    async def public() -> Any:
        return {"public": True}

    return servers.uvicorn(app)


def dependency(path: str) -> Any:
    if path in application.GUARDS and path not in OWN:
        return PLAIN.require(application.GUARDS[path])
    return PLAIN if path in ("/me", "/ws") else require_auth(**application.gate(path))


app = FastAPI()
router = APIRouter()


def caller_of(path: str) -> Any:
    depends = dependency(path)

    async def caller(auth: Annotated[ToriiAuth, Depends(depends)]) -> Any:
        return application.caller(auth)

    return caller


for _path in application.ANSWERED_BY_CALLER:
    router.add_api_route(_path, caller_of(_path), methods=["GET", "HEAD"])


@router.get("/orgs/{org_id}")
async def organization(
    org_id: str, auth: Annotated[ToriiAuth, Depends(PLAIN.require(application.ORGS))]
) -> Any:
    return application.caller(auth)


@router.post("/upload")
async def upload(request: Request, auth: Annotated[ToriiAuth, Depends(PLAIN)]) -> Any:
    return {"user_id": auth.user_id, "bytes": len(await request.body())}


@router.get("/stream", dependencies=[Depends(PLAIN)])
def stream() -> StreamingResponse:
    return StreamingResponse(iter(application.STREAM))


OPTIONAL = require_auth(**application.gate("/optional"))


@router.get("/optional")
async def optional(auth: Annotated[Any, Depends(OPTIONAL)]) -> Any:
    return {"user_id": auth and auth.user_id}


@router.get("/public")
async def public() -> Any:
    return {"public": True}


CLAIMS = require_auth(**application.gate("/claims"))


@router.get("/claims")
def claims(auth: Annotated[ToriiAuth[application.Claims], Depends(CLAIMS)]) -> Any:
    return application.plan(auth.claims)


ISSUERS = require_auth(**application.gate("/issuers"))


@router.get("/issuers")
async def issuers(auth: Annotated[ToriiAuth, Depends(ISSUERS)]) -> Any:
    return application.caller_and_issuer(auth)


@router.get("/two", dependencies=[Depends(OUTER)])
async def two(auth: Annotated[ToriiAuth, Depends(PLAIN)]) -> Any:
    return application.caller_and_issuer(auth)


@router.api_route("/closed", methods=["GET", "OPTIONS"])
async def with_options(request: Request, auth: Annotated[ToriiAuth, Depends(PLAIN)]) -> Any:
    if request.method == "OPTIONS":
        return Response(None, 204, application.ALLOWED_ORIGIN)
    return application.caller(auth)


def live(path: str) -> Any:
    depends = dependency(path)

    async def endpoint(socket: WebSocket, auth: Annotated[ToriiAuth, Depends(depends)]) -> None:
        bearer = "bearer" if "bearer" in socket.scope["subprotocols"] else None
        await socket.accept(subprotocol=bearer)
        await socket.send_text(auth.user_id)
        await socket.close()

    return endpoint


for _path in application.WEBSOCKETS:
    router.add_api_websocket_route(_path, live(_path))

app.include_router(router)
