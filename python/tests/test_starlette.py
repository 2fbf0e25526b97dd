"""`torii_backend.starlette`: what the contract's cases do not ask of the middleware and the guards."""

import subprocess
import sys
from typing import Any
from uuid import UUID

import httpx
import pytest
from conformance import application, servers
from conformance.runner import TOKENS
from fastapi import APIRouter, FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from support.standin import StandIn
from torii_backend import Require
from torii_backend.starlette import AuthMiddleware, requires

pytest.importorskip("starlette", minversion="0.37")

PLAIN = Middleware(AuthMiddleware, verifier=application.verifier())
OPTIONAL = Middleware(AuthMiddleware, verifier=application.verifier(), optional=True)
ADMIN = application.GUARDS["/admin"]


async def user(request: Any) -> PlainTextResponse:
    return PlainTextResponse(request.state.torii.user_id)


def bearer(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS['tokens'][name]}"}


def statuses(app: Any, path: str, *tokens: str) -> list[int]:
    """The statuses of the answers to these tokens; `""` is none."""
    with servers.uvicorn(app) as port:
        url = f"http://127.0.0.1:{port}{path}"
        return [httpx.get(url, headers=bearer(token) if token else {}).status_code for token in tokens]


def test_a_guard_without_the_middleware_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    class Ours(HTTPEndpoint):
        get = staticmethod(user)

    app = Starlette(
        routes=[
            Route("/function", requires(ADMIN)(user)),
            Route("/class", requires(ADMIN)(Ours)),
            Route("/state", requires(ADMIN)(user), middleware=[Middleware(Forged)]),
        ]
    )
    for path in ("/function", "/class", "/state"):
        assert statuses(app, path, "admin", "") == [500, 500], path
    assert "the route is not behind AuthMiddleware" in caplog.text


class Forged:
    """A middleware that puts a caller of its own where ours would."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["torii"] = application.verifier().verify(TOKENS["tokens"]["admin"])
        await self.app(scope, receive, send)


def test_a_guard_behind_an_optional_middleware_needs_a_caller() -> None:
    app = Starlette(routes=[Route("/", requires(ADMIN)(user))], middleware=[OPTIONAL])
    assert statuses(app, "/", "", "expired", "member", "admin") == [401, 401, 403, 200]


def test_every_guard_on_an_endpoint_has_to_agree() -> None:
    @requires(Require(verified_email=True))
    @requires(ADMIN)
    def both(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.torii.user_id)

    app = Starlette(routes=[Route("/", both)], middleware=[PLAIN])
    assert statuses(app, "/", "admin", "valid", "unverified") == [200, 403, 403]


def test_an_inner_middleware_decides_for_what_is_inside_of_it(standin: StandIn) -> None:
    inner = Starlette(routes=[Route("/x", requires(ADMIN)(user))], middleware=[PLAIN])
    other = Middleware(AuthMiddleware, issuer=standin.url, header="x-outer")
    app = Starlette(routes=[Mount("/inner", inner)], middleware=[other])
    outer = {"x-outer": standin.token()}
    with servers.uvicorn(app) as port:
        url = f"http://127.0.0.1:{port}/inner/x"
        replies = [
            httpx.get(url, headers=headers).status_code
            for headers in (
                outer,
                bearer("admin"),
                {**outer, **bearer("admin")},
                {**outer, **bearer("member")},
            )
        ]
    assert replies == [401, 401, 200, 403]


def test_a_guard_in_the_wrong_order_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    app, router, reached = FastAPI(), APIRouter(), []
    app.add_middleware(AuthMiddleware, verifier=application.verifier())

    @requires(ADMIN)
    @router.get("/wrong")
    async def wrong(request: FastAPIRequest) -> None:
        reached.append(request)

    @router.get("/right")
    @requires(ADMIN)
    async def right(request: FastAPIRequest) -> str:
        return request.state.torii.user_id

    app.include_router(router)
    assert statuses(app, "/wrong", "admin", "member", "") == [500, 500, 500]
    assert reached == []
    assert "requires: must stand below what registers" in caplog.text
    assert "wrong" in caplog.text


ROUTED = APIRouter()


@requires(ADMIN)
@ROUTED.get("/wrong")
async def wrongly_guarded(request: FastAPIRequest) -> str:
    return "reached"


def test_a_guard_in_the_wrong_order_in_a_module_lets_nobody_in() -> None:
    app = FastAPI()
    app.add_middleware(AuthMiddleware, verifier=application.verifier())
    app.mount("/inner", FastAPI())
    app.include_router(ROUTED)
    # The guarded one is registered, too, but the name is not what the first route calls.
    app.router.routes.append(Route("/also", wrongly_guarded))
    assert statuses(app, "/wrong", "admin", "member", "") == [500, 500, 500]


def test_a_guard_in_the_right_order_knows_fastapis_path_parameters() -> None:
    app = FastAPI()
    app.add_middleware(AuthMiddleware, verifier=application.verifier())

    @app.get("/orgs/{org_id}")
    @requires(application.ORGS)
    def members(org_id: str, request: FastAPIRequest) -> str:
        return org_id

    assert statuses(app, "/orgs/organization-1", "admin", "other_org", "") == [200, 403, 401]


def test_an_endpoint_that_takes_no_request_lets_nobody_in() -> None:
    app, reached = FastAPI(), []
    app.add_middleware(AuthMiddleware, verifier=application.verifier())

    @app.get("/")
    @requires(ADMIN)
    async def blind() -> None:
        reached.append(1)

    assert statuses(app, "/", "admin", "member") == [500, 500]
    assert reached == []


def test_an_endpoint_may_be_served_with_its_guard_and_without() -> None:
    routes = [Route("/all", user), Route("/some", requires(ADMIN)(user))]
    app = Starlette(routes=routes, middleware=[PLAIN])
    assert statuses(app, "/all", "member", "") == [200, 401]
    assert statuses(app, "/some", "member", "admin") == [403, 200]


def test_path_parameters_that_a_convertor_has_read_are_compared_as_text(standin: StandIn) -> None:
    organization = "01931a75-0000-7000-8000-000000000000"

    @requires(application.ORGS)
    async def member(request: Request) -> PlainTextResponse:
        assert request.path_params["org_id"] == UUID(organization)
        return PlainTextResponse("in")

    app = Starlette(routes=[Route("/orgs/{org_id:uuid}", member)])
    app.add_middleware(AuthMiddleware, issuer=standin.url)
    with servers.uvicorn(app) as port:
        replies = [
            httpx.get(
                f"http://127.0.0.1:{port}/orgs/{organization}",
                headers={"authorization": f"Bearer {standin.token(org_id=org)}"},
            ).status_code
            for org in (organization, "another")
        ]
    assert replies == [200, 403]


def test_a_mounts_path_parameters_are_known_to_its_middleware() -> None:
    own = Middleware(AuthMiddleware, verifier=application.verifier(), require=application.ORGS)
    inside = Starlette(routes=[Route("/members", user)], middleware=[own])
    app = Starlette(routes=[Mount("/orgs/{org_id}", inside)])
    assert statuses(app, "/orgs/organization-1/members", "admin", "other_org", "") == [200, 403, 401]


def test_middlewares_outside_see_the_caller_and_the_route() -> None:
    seen: list[Any] = []

    class Log(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: Any) -> Any:
            reply = await call_next(request)
            auth = getattr(request.state, "torii", None)
            seen.append((auth and auth.user_id, request.scope.get("path_params")))
            return reply

    app = Starlette(
        routes=[Route("/users/{name}", user)], middleware=[Middleware(Log), PLAIN, Middleware(Log)]
    )
    assert statuses(app, "/users/ada", "user_01", "expired") == [200, 401]
    assert seen == [("user-01", {"name": "ada"}), ("user-01", {"name": "ada"}), (None, None)]


def test_a_predicate_of_a_guard_that_raises_lets_nobody_in() -> None:
    def raises(auth: Any) -> bool:
        raise KeyError("plan")

    guard = requires(Require(predicate={"plan": raises}))
    app = Starlette(
        routes=[Route("/", guard(user)), WebSocketRoute("/live", guard(user))], middleware=[PLAIN]
    )
    with servers.uvicorn(app) as port:
        reply = httpx.get(f"http://127.0.0.1:{port}/", headers=bearer("valid"))
    assert (reply.status_code, reply.json()["code"]) == (500, "configuration_error")


def test_the_applications_own_error_body(standin: StandIn) -> None:
    def own(cause: Exception, refusal: Any) -> Any:
        return refusal._replace(
            body={"error": refusal.body["code"]}, headers={**refusal.headers, "X-Help": "/help"}
        )

    app = Starlette(routes=[Route("/", requires(ADMIN)(user))])
    app.add_middleware(AuthMiddleware, verifier=application.verifier(), on_refused=own)
    with servers.uvicorn(app) as port:
        replies = [
            httpx.get(f"http://127.0.0.1:{port}/", headers=bearer(name)) for name in ("expired", "member")
        ]
    assert [reply.json() for reply in replies] == [{"error": "expired"}, {"error": "permission_denied"}]
    assert [reply.headers["x-help"] for reply in replies] == ["/help"] * 2


def test_claims_have_the_applications_type() -> None:
    async def plan(request: Request) -> JSONResponse:
        return JSONResponse(application.plan(request.state.torii.claims))

    app = Starlette(routes=[Route("/", plan)])
    app.add_middleware(AuthMiddleware, verifier=application.verifier(), claims=application.Claims)
    assert statuses(app, "/", "seats", "seats_wrong", "") == [200, 403, 401]


def test_without_starlette_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['starlette'] = None; import torii_backend.starlette"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert 'torii_backend.starlette needs Starlette: pip install "torii-backend[starlette]"' in ran.stderr
