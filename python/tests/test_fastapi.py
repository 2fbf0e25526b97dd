"""`torii_backend.fastapi`: what the clients of a FastAPI application see, and what its author can write."""

import asyncio
import inspect
import logging
import subprocess
import sys
from typing import Annotated, Any, Callable

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from fastapi.security import SecurityScopes
from support.recorder import Recorder
from support.standin import USER, StandIn, eventually
from support.web import TestClient
from torii_backend import ToriiAuth, Verifier
from torii_backend._fastapi import ANSWERS_WEBSOCKETS
from torii_backend.errors import ToriiAuthError, ToriiConfigError, ToriiKeysUnavailableError
from torii_backend.fastapi import require_auth


def application(dependency: Callable[..., Any]) -> TestClient:
    """An application whose `/me` and WebSocket `/live` need `dependency`, and whose `/open` does not."""
    app = FastAPI()

    @app.get("/me")
    async def me(auth: Annotated[Any, Depends(dependency)]) -> Any:
        return auth and auth.user_id

    @app.get("/open")
    async def anybody() -> str:
        return "open"

    @app.websocket("/live")
    async def live(socket: WebSocket, auth: Annotated[Any, Depends(dependency)]) -> None:
        await socket.accept()
        await socket.send_text(auth.user_id)
        await socket.close()

    return TestClient(app)


def asynchronous(client: TestClient) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(client.app), base_url="http://app")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_reaches_the_route(standin: StandIn) -> None:
    reply = application(require_auth(issuer=standin.url)).get("/me", headers=bearer(standin.token()))
    assert (reply.status_code, reply.json()) == (200, USER)


REFUSED = {"detail": {"code": "authentication_failed", "message": "Authentication failed."}}


def test_a_refused_token_is_a_401_whose_reason_is_in_the_log_alone(
    standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client = application(require_auth(issuer=standin.url))
    with caplog.at_level(logging.DEBUG, "torii_backend"):
        reply = client.get("/me", headers=bearer(standin.token(sub="")))
    assert (reply.status_code, reply.json()) == (401, REFUSED)
    assert "claim_type:sub" in caplog.text
    assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert reply.headers["cache-control"] == "no-store"


def test_a_client_is_told_that_its_token_has_expired(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url))
    reply = client.get("/me", headers=bearer(standin.token(exp=1)))
    detail = {"code": "expired", "message": "Authentication failed."}
    assert (reply.status_code, reply.json()) == (401, {"detail": detail})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}])
def test_without_a_token_the_challenge_names_no_error(standin: StandIn, headers: dict[str, str]) -> None:
    reply = application(require_auth(issuer=standin.url)).get("/me", headers=headers)
    assert (reply.status_code, reply.json()["detail"]["code"]) == (401, "authentication_failed")
    assert reply.headers["www-authenticate"] == "Bearer"


async def test_a_header_that_is_sent_twice_is_refused(standin: StandIn) -> None:
    async with asynchronous(application(require_auth(issuer=standin.url))) as client:
        reply = await client.get("/me", headers=[("authorization", f"Bearer {standin.token()}")] * 2)
    assert (reply.status_code, reply.json()) == (401, REFUSED)


def test_keys_that_cannot_be_had_are_a_503_and_never_a_401(
    recorder: Recorder, standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    token = standin.key.token(recorder.url)
    recorder.reply(503, "", retry_after="7")
    with caplog.at_level(logging.DEBUG, "torii_backend"):
        reply = application(require_auth(issuer=recorder.url)).get("/me", headers=bearer(token))
    assert reply.status_code == 503
    assert reply.json() == {
        "detail": {"code": "keys_unavailable", "message": "Authentication is temporarily unavailable."}
    }
    assert 1 <= int(reply.headers["retry-after"]) <= 7
    assert "www-authenticate" not in reply.headers
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.levelno == logging.ERROR
    assert "503" in record.getMessage()
    assert token not in caplog.text


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    class Verifying:
        header = "authorization"
        available = False

        async def authenticate_request_async(self, headers: object) -> Any:
            if not self.available:
                raise ToriiKeysUnavailableError("503")
            return ToriiAuth("ada", "environment", "issuer", True, True, False, None, {})

    verifier = Verifying()
    client = application(require_auth(verifier=verifier))
    with caplog.at_level(logging.INFO, "torii_backend"):
        for available in (False, True, False):
            verifier.available = available
            assert {client.get("/me").status_code for _ in range(5)} == {200 if available else 503}
    levels = [record.levelname for record in caplog.records if record.name == "torii_backend"]
    assert levels == ["ERROR", "INFO", "ERROR"]


def test_what_its_author_must_mend_is_a_500_that_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Misconfigured:
        header = "authorization"

        async def authenticate_request_async(self, headers: object) -> ToriiAuth:
            raise ToriiConfigError("config_error: /etc/keys.json is not there")

    reply = application(require_auth(verifier=Misconfigured())).get("/me")
    assert reply.status_code == 500
    assert reply.json() == {
        "detail": {"code": "configuration_error", "message": "Authentication is not configured correctly."}
    }
    assert "/etc/keys.json" in caplog.text


def test_optional_lets_in_who_sends_nothing_but_not_who_sends_something_bad(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url, optional=True))
    assert client.get("/me").json() is None
    assert client.get("/me", headers=bearer(standin.token())).json() == USER
    for bad in ({"Authorization": "Basic YTpi"}, bearer("x"), bearer(standin.token(exp=1))):
        assert client.get("/me", headers=bad).status_code == 401


def test_optional_is_no_way_around_an_outage(recorder: Recorder, standin: StandIn) -> None:
    client = application(require_auth(issuer=recorder.url, optional=True))
    assert client.get("/me", headers=bearer(standin.key.token(recorder.url))).status_code == 503


def test_a_header_of_ones_own_is_read_in_place_of_authorization(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url, header="X-User-Token"))
    token = standin.token()
    assert client.get("/me", headers=bearer(token)).status_code == 401
    assert client.get("/me", headers={"x-user-token": f"Bearer {token}"}).json() == USER


def test_audience_and_leeway_are_the_tokens(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url, audience=["api", "other"], leeway=0))
    assert client.get("/me", headers=bearer(standin.token(aud="api"))).status_code == 200
    assert client.get("/me", headers=bearer(standin.token(aud="else"))).status_code == 401


def test_a_verifier_brings_its_own_settings(standin: StandIn) -> None:
    verifier = Verifier(standin.url, authorized_parties=["https://app.example"])
    client = application(require_auth(verifier=verifier))
    assert client.get("/me", headers=bearer(standin.token(azp="https://app.example"))).status_code == 200
    assert client.get("/me", headers=bearer(standin.token(azp="https://evil.example"))).status_code == 401


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"issuer": ""},
        {"issuer": "acme"},
        {"issuer": "https://acme.torii.so", "leeway": -1},
        {"issuer": "https://acme.torii.so", "header": "no header"},
        {"issuer": "https://acme.torii.so", "verifier": Verifier("https://acme.torii.so")},
        {"audience": "api", "verifier": Verifier("https://acme.torii.so")},
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_where_it_is_written(settings: dict[str, Any]) -> None:
    with pytest.raises(ToriiConfigError):
        require_auth(**settings)


def test_nothing_is_fetched_before_the_first_token(recorder: Recorder) -> None:
    client = application(require_auth(issuer=recorder.url))
    client.get("/open")
    client.get("/me")
    client.get("/me", headers=bearer("not.a.token"))
    assert recorder.requests == []


def test_a_websocket_is_accepted_with_a_token(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url))
    with client.websocket_connect("/live", headers=bearer(standin.token())) as socket:
        assert socket.receive_text() == USER


class WithoutAnswers:
    """A server that can refuse a WebSocket only by closing it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app({**scope, "extensions": {}}, receive, send)


def test_a_websocket_is_refused_before_it_is_accepted(standin: StandIn, recorder: Recorder) -> None:
    refused = [
        (standin.url, {}, 401, 1008, "authentication_failed"),
        (standin.url, bearer("x"), 401, 1008, "authentication_failed"),
        (recorder.url, bearer(standin.key.token(recorder.url)), 503, 1013, "keys_unavailable"),
    ]
    for issuer, headers, status, code, reason in refused:
        client = application(require_auth(issuer=issuer))
        if ANSWERS_WEBSOCKETS:
            with (
                pytest.raises(WebSocketDisconnect) as answered,
                client.websocket_connect("/live", headers=headers),
            ):
                pass
            reply: Any = answered.value
            assert (reply.status_code, reply.json()["detail"]["code"]) == (status, reason)
            assert ("retry-after" in reply.headers) is (status == 503)
        closing = TestClient(WithoutAnswers(client.app))
        with (
            pytest.raises(WebSocketDisconnect) as closed,
            closing.websocket_connect("/live", headers=headers),
        ):
            pass
        assert (closed.value.code, closed.value.reason) == (code, reason)


def test_scopes_that_nobody_looks_at_are_refused(standin: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    auth_dep = require_auth(issuer=standin.url)
    app = FastAPI()

    async def role(scopes: SecurityScopes, auth: Annotated[ToriiAuth, Depends(auth_dep)]) -> ToriiAuth:
        return auth if scopes.scopes == ["admin"] else ToriiAuth("no", "", "", True, True, False, None, {})

    async def blind(auth: Annotated[ToriiAuth, Depends(auth_dep)]) -> ToriiAuth:
        return auth

    @app.get("/direct")
    async def direct(auth: Annotated[ToriiAuth, Security(auth_dep, scopes=["admin"])]) -> str:
        return auth.user_id

    @app.get("/blind")
    async def blindly(auth: Annotated[ToriiAuth, Security(blind, scopes=["admin"])]) -> str:
        return auth.user_id

    @app.get("/router", dependencies=[Security(auth_dep, scopes=["admin"])])
    async def routed() -> str:
        return "no"

    @app.get("/both")
    async def both(
        auth: Annotated[ToriiAuth, Security(role, scopes=["admin"])],
        other: Annotated[ToriiAuth, Security(auth_dep, scopes=["other"])],
    ) -> str:
        return auth.user_id

    @app.get("/looked-at")
    async def looked_at(
        auth: Annotated[ToriiAuth, Security(role, scopes=["admin"])],
        plain: Annotated[ToriiAuth, Depends(auth_dep)],
        empty: Annotated[ToriiAuth, Security(auth_dep)],
    ) -> str:
        assert plain.user_id == empty.user_id
        return auth.user_id

    client = TestClient(app)
    headers = bearer(standin.token())
    for path in ("/direct", "/blind", "/router", "/both"):
        assert client.get(path, headers=headers).json()["detail"]["code"] == "configuration_error", path
    assert "/direct needs 'admin'" in caplog.text
    assert client.get("/looked-at", headers=headers).json() == USER


def test_its_error_is_the_cause_of_the_exception(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url))

    @client.app.exception_handler(HTTPException)
    async def own(request: Any, exc: HTTPException) -> JSONResponse:
        cause = exc.__cause__
        assert isinstance(cause, ToriiAuthError)
        return JSONResponse({"error": cause.code}, exc.status_code, exc.headers)

    reply = client.get("/me")
    assert (reply.status_code, reply.json()) == (401, {"error": "header_missing"})


def test_dependencies_with_different_headers_have_different_schemes(standin: StandIn) -> None:
    app = FastAPI()
    headers = ("authorization", "X-User-Token", "X-Admin-Token")

    @app.get("/", dependencies=[Depends(require_auth(issuer=standin.url, header=each)) for each in headers])
    async def nothing() -> None: ...

    schemes = TestClient(app).get("/openapi.json").json()["components"]["securitySchemes"]
    assert list(schemes) == ["torii", "torii-x-user-token", "torii-x-admin-token"]


def test_the_documentation_shows_a_bearer_scheme_on_the_routes_that_need_it(standin: StandIn) -> None:
    client = application(require_auth(issuer=standin.url))
    document = client.get("/openapi.json").json()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert document["paths"]["/me"]["get"]["security"] == [{"torii": []}]
    assert "security" not in document["paths"]["/open"]["get"]
    assert "parameters" not in document["paths"]["/me"]["get"]
    assert client.get("/docs").status_code == 200


def test_the_documentation_shows_a_header_of_ones_own(standin: StandIn) -> None:
    dependency = require_auth(issuer=standin.url, header="X-User-Token", scheme_name="users")
    document = application(dependency).get("/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["users"]
    assert (scheme["type"], scheme["in"], scheme["name"].lower()) == ("apiKey", "header", "x-user-token")


def test_every_way_of_asking_for_it_works(standin: StandIn) -> None:
    auth_dep = require_auth(issuer=standin.url)
    app = FastAPI(dependencies=[Depends(require_auth(issuer=standin.url, optional=True))])
    router = APIRouter(prefix="/router", dependencies=[Depends(auth_dep)])

    @app.get("/published")
    def published(auth=Depends(auth_dep)) -> str:  # noqa: B008
        return auth.user_id

    @app.get("/hinted")
    async def hinted(auth: ToriiAuth = Depends(auth_dep)) -> str:  # noqa: B008
        return auth.user_id

    @router.get("/inside")
    async def inside() -> str:
        return USER

    @app.get("/annotated")
    async def annotated(auth: Annotated[ToriiAuth, Depends(auth_dep)]) -> str:
        return auth.user_id

    app.include_router(router)
    client = TestClient(app)
    headers = bearer(standin.token())
    for path in ("/published", "/hinted", "/annotated", "/router/inside"):
        assert client.get(path).status_code == 401, path
        assert client.get(path, headers=headers).json() == USER, path


def test_tests_of_an_application_override_it(standin: StandIn) -> None:
    auth_dep = require_auth(issuer=standin.url)
    client = application(auth_dep)
    stand_in = ToriiAuth("ada", "environment", standin.url, True, True, False, None, {})
    client.app.dependency_overrides[auth_dep] = lambda: stand_in
    assert client.get("/me").json() == "ada"


async def test_a_slow_key_endpoint_holds_up_nobody_else(standin: StandIn) -> None:
    auth_dep = require_auth(issuer=standin.url)
    assert inspect.iscoroutinefunction(auth_dep.__call__)
    standin.hold("keys")
    async with asynchronous(application(auth_dep)) as client:
        held = [asyncio.create_task(client.get("/me", headers=bearer(standin.token()))) for _ in range(20)]
        await asyncio.to_thread(eventually, lambda: standin.count("keys") > 0)
        assert (await client.get("/open")).json() == "open"
        assert not any(task.done() for task in held)
        standin.release()
        assert [reply.json() for reply in await asyncio.gather(*held)] == [USER] * 20
    assert standin.count("keys") == 1


def test_without_fastapi_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['fastapi'] = None; import torii_backend.fastapi"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert 'torii_backend.fastapi needs FastAPI: pip install "torii-backend[fastapi]"' in ran.stderr
