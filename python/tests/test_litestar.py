"""`torii_backend.litestar`: what an application's author can write, and what its clients see."""

# Litestar evaluates the annotations of handlers, on Python 3.9 too.
# ruff: noqa: FA100
import asyncio
import contextlib
import doctest
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

import httpx
import pytest
from support.standin import USER, StandIn
from torii_backend import FromPath, Require, ToriiAuth, ToriiAuthError, ToriiConfigError

pytest.importorskip("litestar")

from conformance import servers
from litestar import (
    Controller,
    Litestar,
    MediaType,
    Request,
    Response,
    Router,
    WebSocket,
    asgi,
    get,
    websocket,
)
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.openapi import OpenAPIConfig
from torii_backend.litestar import requires, torii_auth

ADMIN = Require(role="org:administrator")
ORGANIZATION = {"org_id": "organization-1", "org_role": "org:administrator"}


@get("/me")
async def me(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"user_id": request.auth.user_id}


@contextlib.contextmanager
def served(app: Litestar) -> Iterator[httpx.Client]:
    with (
        servers.uvicorn(app) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


def application(standin: StandIn, *handlers: Any, settings: Any = {}, **more: Any) -> Litestar:  # noqa: B006
    middleware = torii_auth(issuer=standin.url, **settings)
    return Litestar([me, *handlers], middleware=[middleware], logging_config=None, **more)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_reaches_the_handler_and_a_bad_one_does_not(standin: StandIn) -> None:
    with served(application(standin)) as client:
        assert client.get("/me", headers=bearer(standin.token())).json() == {"user_id": USER}
        reply = client.get("/me", headers=bearer(standin.token(exp=1)))
    message = "Authentication failed."
    extra = {"code": "expired", "message": message}
    assert (reply.status_code, reply.json()) == (401, {"status_code": 401, "detail": message, "extra": extra})
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert reply.headers["cache-control"] == "no-store"


def test_a_refused_request_is_answered_in_json_whatever_the_handler_answers_in(standin: StandIn) -> None:
    @get("/page", media_type=MediaType.HTML)
    async def page() -> str:
        return "<p>"

    @get("/guarded", media_type=MediaType.TEXT, guards=[requires(ADMIN)])
    async def guarded() -> str:
        return "text"

    with served(application(standin, page, guarded)) as client:
        for path, headers, status in (("/page", {}, 401), ("/guarded", bearer(standin.token()), 403)):
            reply = client.get(path, headers=headers)
            assert reply.status_code == status
            assert reply.headers.get_list("content-type") == ["application/json"], path
            assert reply.json()["status_code"] == status
        assert (
            client.get("/page", headers=bearer(standin.token()))
            .headers["content-type"]
            .startswith("text/html")
        )


@pytest.mark.parametrize("value", ["yes", 1, None, False, [True]])
def test_only_true_opens_a_handler(standin: StandIn, value: Any) -> None:
    @get("/open", exclude_from_auth=True)
    async def opened(request: Request[Any, Any, Any]) -> bool:
        return "auth" in request.scope

    @get("/other", exclude_from_auth=value)
    async def other() -> None: ...

    with served(application(standin, opened, other)) as client:
        assert client.get("/open").json() is False
        assert client.get("/open", headers=bearer(standin.token())).json() is False
        assert client.get("/other").status_code == 401


def test_the_key_that_opens_a_handler_can_be_another(standin: StandIn) -> None:
    @get("/a", public=True)
    async def a() -> None: ...

    @get("/b", exclude_from_auth=True)
    async def b() -> None: ...

    with served(application(standin, a, b, settings={"exclude_opt_key": "public"})) as client:
        assert (client.get("/a").status_code, client.get("/b").status_code) == (200, 401)


def test_guards_stand_on_handlers_controllers_and_routers(standin: StandIn) -> None:
    @get("/handler", guards=[requires(ADMIN)])
    async def handler(request: Request[Any, Any, Any]) -> str:
        return request.auth.user_id

    class Inside(Controller):
        path = "/controller"
        guards = (requires(ADMIN),)

        @get()
        async def inside(self, request: Request[Any, Any, Any]) -> str:
            return request.user.user_id

    @get("/inside", guards=[requires(Require(verified_email=True))])
    async def routed(request: Request[Any, Any, Any]) -> str:
        return request.auth.user_id

    router = Router("/router", route_handlers=[routed], guards=[requires(ADMIN)])
    admin = standin.token(email_verified=True, **ORGANIZATION)
    with served(application(standin, handler, Inside, router)) as client:
        for path in ("/handler", "/controller", "/router/inside"):
            assert client.get(path, headers=bearer(admin)).text == USER, path
            reply = client.get(path, headers=bearer(standin.token()))
            assert (reply.status_code, reply.json()["extra"]["guard"]) == (403, "role"), path
            assert 'error_description="guard: role"' in reply.headers["www-authenticate"]
            assert client.get(path).status_code == 401
        unverified = client.get("/router/inside", headers=bearer(standin.token(**ORGANIZATION)))
        assert unverified.json()["extra"]["guard"] == "verified_email"


def test_the_middleware_and_a_guard_know_the_path(standin: StandIn) -> None:
    require = Require(organization=FromPath("org_id"))

    @get("/guard/{org_id:str}", guards=[requires(require)])
    async def guard(request: Request[Any, Any, Any]) -> str:
        return request.path_params["org_id"]

    @get("/middleware/{org_id:str}", middleware=[torii_auth(issuer=standin.url, require=require)])
    async def middleware(request: Request[Any, Any, Any]) -> str:
        return request.path_params["org_id"]

    with served(application(standin, guard, middleware)) as client:
        headers = bearer(standin.token(**ORGANIZATION))
        for path in ("/guard", "/middleware"):
            assert client.get(f"{path}/organization-1", headers=headers).text == "organization-1"
            assert client.get(f"{path}/organization-2", headers=headers).status_code == 403


def test_a_guard_without_a_middleware_lets_nobody_in(
    standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    @get("/guarded", guards=[requires(Require())])
    async def guarded() -> None: ...

    @get("/excluded", guards=[requires(Require())], exclude_from_auth=True)
    async def excluded() -> None: ...

    for path, app in (
        ("/guarded", Litestar([guarded], logging_config=None)),
        ("/excluded", application(standin, excluded)),
    ):
        with served(app) as client:
            reply = client.get(path, headers=bearer(standin.token()))
        assert (reply.status_code, reply.json()["extra"]["code"]) == (500, "configuration_error")
    assert "not behind torii_auth" in caplog.text


def test_optional_lets_in_who_sends_nothing_where_no_guard_asks_for_more(standin: StandIn) -> None:
    @get("/greeting")
    async def greeting(request: Request[Any, Any, Any]) -> Optional[str]:
        return request.auth and request.auth.user_id

    @get("/guarded", guards=[requires(Require())])
    async def guarded() -> None: ...

    with served(application(standin, greeting, guarded, settings={"optional": True})) as client:
        assert client.get("/greeting").json() is None
        assert client.get("/greeting", headers=bearer(standin.token())).text == USER
        assert client.get("/greeting", headers=bearer("x")).status_code == 401
        reply = client.get("/guarded")
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")


def test_an_application_renders_refused_requests_in_its_own_way(standin: StandIn) -> None:
    causes = []

    def own(request: Any, error: HTTPException) -> Response[dict[str, Any]]:
        causes.append(error.__cause__)
        return Response({"own": error.extra["code"]}, status_code=error.status_code, headers=error.headers)

    with served(application(standin, exception_handlers={NotAuthorizedException: own})) as client:
        reply = client.get("/me", headers=bearer("x"))
    assert (reply.status_code, reply.json()) == (401, {"own": "authentication_failed"})
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert [(type(cause), cause.code) for cause in causes] == [(ToriiAuthError, "malformed")]


def test_the_inner_middlewares_caller_counts_inside(standin: StandIn) -> None:
    @get("/inside")
    async def inside(request: Request[Any, Any, Any]) -> str:
        return request.auth.user_id

    outer = torii_auth(issuer=standin.url + "/outer", header="x-outer")
    router = Router("/", route_handlers=[inside], middleware=[torii_auth(issuer=standin.url)])
    with served(Litestar([router], middleware=[outer], logging_config=None)) as client:
        first, second = {"X-Outer": standin.token("/outer", sub="outer")}, bearer(standin.token())
        assert client.get("/inside", headers=first).status_code == 401
        assert client.get("/inside", headers=second).status_code == 401
        assert client.get("/inside", headers={**first, **second}).text == USER


def test_an_asgi_application_that_is_mounted_is_protected(standin: StandIn) -> None:
    @asgi("/mounted", is_mount=True, copy_scope=True)
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["auth"].user_id.encode()})

    with served(application(standin, mounted)) as client:
        assert client.get("/mounted/x").status_code == 401
        assert client.get("/mounted/x", headers=bearer(standin.token())).text == USER


def test_claims_are_of_the_type_that_was_asked_for(standin: StandIn) -> None:
    @dataclass
    class Plan:
        plan: str

    @get("/plan")
    async def plan(request: Request[Any, ToriiAuth[Plan], Any]) -> str:
        return request.auth.claims.plan

    with served(application(standin, plan, settings={"claims": Plan})) as client:
        assert client.get("/plan", headers=bearer(standin.token(plan="pro"))).text == "pro"
        reply = client.get("/plan", headers=bearer(standin.token(plan=["pro"])))
    assert (reply.status_code, reply.json()["extra"]["guard"]) == (403, "claims")


@pytest.mark.parametrize("header", [None, "X-User-Token"])
def test_the_documentation_has_the_security_scheme(standin: StandIn, header: Optional[str]) -> None:
    auth = torii_auth(issuer=standin.url, **({} if header is None else {"header": header}))
    config = OpenAPIConfig(
        title="x", version="1", components=[auth.openapi_components], security=[auth.security_requirement]
    )
    document = Litestar(
        [me], middleware=[auth], openapi_config=config, logging_config=None
    ).openapi_schema.to_schema()
    scheme = document["components"]["securitySchemes"]["torii"]
    expected = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    if header is not None:
        expected = {"type": "apiKey", "name": header.lower(), "in": "header"}
    assert scheme == expected
    assert document["security"] == [{"torii": []}]


def test_a_websocket_is_refused_before_it_is_accepted(standin: StandIn) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    @websocket("/live", guards=[requires(ADMIN)])
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text(socket.auth.user_id)
        await socket.close()

    refused = [(401, {}, {}), (403, bearer(standin.token()), {"guard": "role"})]
    with servers.uvicorn(application(standin, live)) as port:
        url = f"ws://127.0.0.1:{port}/live"
        with connect(url, additional_headers=bearer(standin.token(**ORGANIZATION)), proxy=None) as socket:
            assert socket.recv() == USER
        for status, headers, more in refused:
            with pytest.raises(InvalidStatus) as answered:
                connect(url, additional_headers=headers, proxy=None)
            reply = answered.value.response
            assert reply.status_code == status
            assert b'"extra"' in reply.body
            assert all(value.encode() in reply.body for value in more.values())


def test_a_websocket_is_closed_where_the_server_can_do_nothing_else(standin: StandIn) -> None:
    @websocket("/live", guards=[requires(ADMIN)])
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()

    async def closed(app: Litestar, token: Optional[str]) -> Any:
        headers = [] if token is None else [(b"authorization", b"Bearer " + token.encode())]
        scope = {
            "type": "websocket",
            "path": "/live",
            "raw_path": b"/live",
            "query_string": b"",
            "headers": headers,
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app({**scope, "root_path": "", "subprotocols": [], "extensions": None}, receive, send)
        (message,) = sent
        return message["type"], message["code"], message["reason"]

    app = application(standin, live)
    assert asyncio.run(closed(app, None)) == ("websocket.close", 1008, "authentication_failed")
    assert asyncio.run(closed(app, standin.token())) == ("websocket.close", 1008, "permission_denied")


def test_a_mistake_of_ours_is_a_500_that_says_nothing(
    standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(auth: ToriiAuth) -> bool:
        raise LookupError("the database of secrets")

    @get("/broken", guards=[requires(Require(predicate={"staff": broken}))])
    async def guarded() -> None: ...

    with caplog.at_level(logging.ERROR, "torii_backend"), served(application(standin, guarded)) as client:
        reply = client.get("/broken", headers=bearer(standin.token()))
    assert (reply.status_code, reply.json()["extra"]["code"]) == (500, "configuration_error")
    assert "secrets" not in reply.text
    assert "secrets" in caplog.text


def test_settings_are_checked_where_they_are_written(standin: StandIn) -> None:
    for settings in ({}, {"issuer": ""}, {"issuer": standin.url, "leeway": -1}):
        with pytest.raises(ToriiConfigError):
            torii_auth(**settings)


def test_the_examples_of_its_docstrings_run() -> None:
    ran = doctest.testmod(sys.modules["torii_backend.litestar"])
    assert ran.attempted > 0
    assert ran.failed == 0


def test_without_litestar_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['litestar'] = None; import torii_backend.litestar"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert 'torii_backend.litestar needs Litestar: pip install "torii-backend[litestar]"' in ran.stderr
