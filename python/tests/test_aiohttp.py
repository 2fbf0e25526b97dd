"""`torii_backend.aiohttp`: what an application's author can write, and what its clients see."""

from __future__ import annotations

import contextlib
import doctest
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.standin import USER, StandIn
from torii_backend import FromPath, Require, ToriiAuth, ToriiConfigError

web = pytest.importorskip("aiohttp.web")

from conformance import servers  # noqa: E402
from torii_backend.aiohttp import AUTH, auth_middleware, requires  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADMIN = Require(role="org:administrator")
ORGANIZATION = {"org_id": "organization-1", "org_role": "org:administrator"}


async def me(request: Any) -> Any:
    return web.json_response({"user_id": request[AUTH].user_id})


async def anybody(request: Any) -> Any:
    return web.json_response({"public": True})


@contextlib.contextmanager
def served(made: Callable[[], Any]) -> Iterator[httpx.Client]:
    with (
        servers.aiohttp(made) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


def application(standin: StandIn, routes: Any = (), **settings: Any) -> Callable[[], Any]:
    def made() -> Any:
        app = web.Application(middlewares=[auth_middleware(issuer=standin.url, **settings)])
        app.router.add_get("/me", me)
        app.add_routes(routes)
        return app

    return made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_reaches_the_handler_and_a_bad_one_does_not(standin: StandIn) -> None:
    with served(application(standin)) as client:
        assert client.get("/me", headers=bearer(standin.token())).json() == {"user_id": USER}
        reply = client.get("/me", headers=bearer(standin.token(exp=1)))
    assert (reply.status_code, reply.json()) == (
        401,
        {"code": "expired", "message": "Authentication failed."},
    )
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert reply.headers["cache-control"] == "no-store"


def test_what_has_no_route_is_nobodys_without_a_token(standin: StandIn) -> None:
    for settings in ({}, {"require": Require(organization=FromPath("org_id"))}):
        with served(application(standin, **settings)) as client:
            assert client.get("/nowhere").status_code == 401
            assert client.post("/me").status_code == 401
            assert client.get("/nowhere", headers=bearer(standin.token())).status_code == 404
            assert client.post("/me", headers=bearer(standin.token())).status_code == 405


def test_a_subapplication_is_protected_alone(standin: StandIn) -> None:
    def made() -> Any:
        app = web.Application()
        app.router.add_get("/", anybody)
        app.add_subapp("/inside", application(standin)())
        return app

    with served(made) as client:
        assert client.get("/").json() == {"public": True}
        for path in ("/inside/me", "/inside/", "/inside/nowhere", "/inside/%6de"):
            assert client.get(path).status_code == 401, path
        assert client.get("/inside/me", headers=bearer(standin.token())).json() == {"user_id": USER}


def test_the_inner_middlewares_caller_counts_inside(standin: StandIn) -> None:
    def made() -> Any:
        app = web.Application(middlewares=[auth_middleware(issuer=standin.url + "/outer", header="x-outer")])
        app.router.add_get("/me", me)
        app.add_subapp("/inside", application(standin)())
        return app

    outer = {"X-Outer": standin.token("/outer", sub="outer")}
    with served(made) as client:
        assert client.get("/me", headers=outer).json() == {"user_id": "outer"}
        assert client.get("/inside/me", headers=outer).status_code == 401
        assert client.get("/inside/me", headers=bearer(standin.token())).status_code == 401
        both = client.get("/inside/me", headers={**outer, **bearer(standin.token())})
    assert both.json() == {"user_id": USER}


def test_a_handler_is_guarded_as_a_function_a_method_and_a_method_of_a_view(standin: StandIn) -> None:
    class Handlers:
        @requires(ADMIN)
        async def method(self, request: Any) -> Any:
            return await me(request)

    class View(web.View):
        @requires(ADMIN)
        async def get(self) -> Any:
            return await me(self.request)

    @requires(ADMIN)
    async def function(request: Any) -> Any:
        return await me(request)

    paths = {"/function": function, "/method": Handlers().method}
    routes = [*(web.get(path, handler) for path, handler in paths.items()), web.view("/view", View)]
    with served(application(standin, routes)) as client:
        for path in (*paths, "/view"):
            good = client.get(path, headers=bearer(standin.token(**ORGANIZATION)))
            assert good.json() == {"user_id": USER}, path
            reply = client.get(path, headers=bearer(standin.token()))
            assert (reply.status_code, reply.json()["guard"]) == (403, "role"), path
            assert 'error_description="guard: role"' in reply.headers["www-authenticate"]
            assert client.get(path).status_code == 401


def test_a_guard_knows_the_path_of_a_subapplication(standin: StandIn) -> None:
    @requires(Require(organization=FromPath("org_id")))
    async def organization(request: Any) -> Any:
        return web.json_response(request.match_info["org_id"])

    def made() -> Any:
        app = web.Application()
        app.add_subapp("/api", application(standin, [web.get("/orgs/{org_id}", organization)])())
        return app

    with served(made) as client:
        headers = bearer(standin.token(**ORGANIZATION))
        assert client.get("/api/orgs/organization-1", headers=headers).json() == "organization-1"
        assert client.get("/api/orgs/organization-2", headers=headers).status_code == 403


def test_optional_lets_in_who_sends_nothing_where_no_guard_asks_for_more(standin: StandIn) -> None:
    async def greeting(request: Any) -> Any:
        auth = request.get(AUTH)
        return web.json_response(auth and auth.user_id)

    @requires(Require())
    async def guarded(request: Any) -> Any:
        return await me(request)

    routes = [web.get("/greeting", greeting), web.get("/guarded", guarded)]
    with served(application(standin, routes, optional=True)) as client:
        assert client.get("/greeting").json() is None
        assert client.get("/greeting", headers=bearer(standin.token())).json() == USER
        assert client.get("/greeting", headers=bearer("x")).status_code == 401
        reply = client.get("/guarded")
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get("/guarded", headers=bearer(standin.token())).json() == {"user_id": USER}


def test_a_guard_above_its_route_lets_nobody_in(standin: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    routes = web.RouteTableDef()

    @requires(ADMIN)
    @routes.get("/wrong")
    async def wrong(request: Any) -> Any:
        return await me(request)

    @routes.get("/right")
    @requires(ADMIN)
    async def right(request: Any) -> Any:
        return await me(request)

    with served(application(standin, routes)) as client:
        headers = bearer(standin.token(**ORGANIZATION))
        reply = client.get("/wrong", headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (500, "configuration_error")
        assert client.get("/right", headers=headers).json() == {"user_id": USER}
    assert "stands above the route of" in caplog.text
    assert "wrong" in caplog.text


def test_a_guard_without_a_middleware_lets_nobody_in(
    standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    @requires(Require())
    async def guarded(request: Any) -> Any:
        return await me(request)

    def made() -> Any:
        app = web.Application()
        app.router.add_get("/guarded", guarded)
        return app

    with served(made) as client:
        reply = client.get("/guarded", headers=bearer(standin.token()))
    assert (reply.status_code, reply.json()["code"]) == (500, "configuration_error")
    assert "not behind auth_middleware" in caplog.text


def test_what_cannot_be_guarded_is_refused_where_it_is_written() -> None:
    class View(web.View):
        async def get(self) -> Any: ...

    for handler in (View, lambda request: None, None):
        with pytest.raises(ToriiConfigError, match="coroutine function"):
            requires(ADMIN)(handler)


def test_a_body_that_is_streamed_passes_untouched(standin: StandIn) -> None:
    async def count(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
        return response

    def body() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    with served(application(standin, [web.post("/count", count)])) as client:
        reply = client.post("/count", headers=bearer(standin.token()), content=body())
        assert len(reply.content) == 1_000_000
        assert client.post("/count", content=body()).status_code == 401


def test_claims_are_of_the_type_that_was_asked_for(standin: StandIn) -> None:
    from dataclasses import dataclass

    @dataclass
    class Plan:
        plan: str

    async def plan(request: Any) -> Any:
        assert isinstance(request[AUTH], ToriiAuth)
        return web.json_response(request[AUTH].claims.plan)

    with served(application(standin, [web.get("/plan", plan)], claims=Plan)) as client:
        assert client.get("/plan", headers=bearer(standin.token(plan="pro"))).json() == "pro"
        reply = client.get("/plan", headers=bearer(standin.token(plan=["pro"])))
    assert (reply.status_code, reply.json()["guard"]) == (403, "claims")


def test_an_outer_middleware_sees_the_answer(standin: StandIn) -> None:
    @web.middleware
    async def cors(request: Any, handler: Any) -> Any:
        response = await handler(request)
        response.headers["Access-Control-Allow-Origin"] = "https://app.example"
        return response

    def made() -> Any:
        app = web.Application(middlewares=[cors, auth_middleware(issuer=standin.url)])
        app.router.add_get("/me", me)
        return app

    with served(made) as client:
        reply = client.get("/me")
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (401, "https://app.example")


def test_settings_are_checked_where_they_are_written(standin: StandIn) -> None:
    for settings in ({}, {"issuer": ""}, {"issuer": standin.url, "leeway": -1}):
        with pytest.raises(ToriiConfigError):
            auth_middleware(**settings)


def test_the_examples_of_its_docstrings_run() -> None:
    ran = doctest.testmod(sys.modules["torii_backend.aiohttp"])
    assert ran.attempted > 0
    assert ran.failed == 0


def test_without_aiohttp_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['aiohttp'] = None; import torii_backend.aiohttp"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert 'torii_backend.aiohttp needs aiohttp: pip install "torii-backend[aiohttp]"' in ran.stderr
