"""Starlette and plain ASGI: the settings of the middlewares, and the guards of endpoints."""

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from torii_backend import Require, ToriiAuth
from torii_backend.asgi import AuthMiddleware as Plain
from torii_backend.starlette import AuthMiddleware, requires
from typing_extensions import assert_type


class MyClaims(BaseModel):
    plan: str


@requires(Require(verified_email=True))
async def plan(request: Request) -> Response:
    auth: ToriiAuth[MyClaims] = request.state.torii
    assert_type(auth.claims, MyClaims)
    auth.claims.seats  # expect-error
    return JSONResponse({"plan": auth.claims.plan})


settings = Middleware(AuthMiddleware, issuer="https://acme.torii.so", claims=MyClaims)
app = Starlette(routes=[Route("/plan", plan)], middleware=[settings])

Plain(app, issuer="https://acme.torii.so", optional=True)
Plain(app, issuer="https://acme.torii.so", cookies="session")  # expect-error
AuthMiddleware(app, issuer="https://acme.torii.so", optional="yes")  # expect-error
AuthMiddleware(app, issuer="https://acme.torii.so", require="admin")  # expect-error
requires("org:administrator")  # expect-error
