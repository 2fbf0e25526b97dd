"""`torii_backend.wsgi`: what a server and an application see of the middleware. The contract has the rest."""

from __future__ import annotations

import io
from typing import Any

import pytest
from conformance.application import verifier
from conformance.runner import filled
from torii_backend import FromPath, Require
from torii_backend.errors import ToriiConfigError
from torii_backend.wsgi import AuthMiddleware

VALID, ADMIN = filled("Bearer {valid}"), filled("Bearer {admin}")


class Application:
    """Remembers what it was called with."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.body = [b"hello"]

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.environs.append(environ)
        start("200 OK", [("Content-Length", "5")])
        return self.body


def call(app: Any, method: str = "GET", **environ: Any) -> tuple[str, dict[str, str], Any]:
    started: list[Any] = []
    body = app(
        {"REQUEST_METHOD": method, "PATH_INFO": "/", "wsgi.input": io.BytesIO(), **environ},
        lambda status, headers, exc_info=None: started.append((status, dict(headers))),
    )
    ((status, headers),) = started
    return status, headers, body


def test_the_applications_own_answer_is_passed_on_as_it_is() -> None:
    app = Application()
    status, headers, body = call(AuthMiddleware(app, verifier=verifier()), HTTP_AUTHORIZATION=VALID)
    assert (status, headers) == ("200 OK", {"Content-Length": "5"})
    assert body is app.body


def test_the_application_is_not_called_for_a_refused_request() -> None:
    app = Application()
    status, headers, body = call(AuthMiddleware(app, verifier=verifier()))
    assert (status, headers["WWW-Authenticate"]) == ("401 Unauthorized", "Bearer")
    assert int(headers["Content-Length"]) == len(b"".join(body))
    assert app.environs == []


def test_an_answer_to_head_has_the_length_of_a_body_that_is_not_there() -> None:
    middleware = AuthMiddleware(Application(), verifier=verifier())
    _, headers, body = call(middleware, "HEAD")
    assert list(body) == []
    assert headers == call(middleware)[1]


@pytest.mark.parametrize("name", ["torii.auth", "torii-auth", "torii_auth"])
def test_no_header_becomes_the_callers_variable(name: str) -> None:
    app = Application()
    # What a server makes of a header's name (RFC 3875, section 4.1.18).
    variable = "HTTP_" + name.upper().replace("-", "_")
    call(AuthMiddleware(app, verifier=verifier(), optional=True), **{variable: "admin"})
    assert app.environs[0]["torii.auth"] is None


def test_a_caller_whom_something_else_put_there_does_not_count() -> None:
    app = Application()
    middleware = AuthMiddleware(app, verifier=verifier(), optional=True)
    call(middleware, **{"torii.auth": "admin"})
    assert app.environs[0]["torii.auth"] is None
    refusing = AuthMiddleware(app, verifier=verifier())
    assert call(refusing, **{"torii.auth": "admin"})[0].startswith("401")


def test_a_preflight_has_no_caller_not_even_that_of_another_middleware() -> None:
    app = Application()
    inner = AuthMiddleware(app, verifier=verifier("outer"), allow_preflight=True)
    outer = AuthMiddleware(inner, verifier=verifier())
    preflight = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}
    assert call(outer, "OPTIONS", HTTP_AUTHORIZATION=VALID, **preflight)[0] == "200 OK"
    assert app.environs[0]["torii.auth"] is None


def test_what_a_server_joins_of_repeated_headers_is_refused() -> None:
    middleware = AuthMiddleware(Application(), verifier=verifier())
    for joined in (f"{VALID},{VALID}", f"{VALID}, {VALID}"):
        assert call(middleware, HTTP_AUTHORIZATION=joined)[0].startswith("401")


def test_a_path_parameter_is_the_one_that_a_router_found() -> None:
    require = Require(organization=FromPath("org_id"))
    middleware = AuthMiddleware(Application(), verifier=verifier(), require=require)

    def status(**environ: Any) -> str:
        return call(middleware, HTTP_AUTHORIZATION=ADMIN, **environ)[0][:3]

    assert status(**{"wsgiorg.routing_args": ((), {"org_id": "organization-1"})}) == "200"
    assert status(**{"wsgiorg.routing_args": ((), {"org_id": "organization-2"})}) == "403"
    assert status(**{"wsgiorg.routing_args": ((), {"other": "organization-1"})}) == "500"
    assert status() == "500"


def test_the_answer_can_have_a_status_without_a_name() -> None:
    middleware = AuthMiddleware(
        Application(), verifier=verifier(), on_refused=lambda _, refusal: refusal._replace(status=499)
    )
    assert call(middleware)[0] == "499 Refused"


def test_a_setting_that_cannot_be_used_is_refused_where_it_is_written() -> None:
    for settings in ({}, {"issuer": "acme"}, {"issuer": "https://acme.torii.so", "leeway": -1}):
        with pytest.raises(ToriiConfigError):
            AuthMiddleware(Application(), **settings)
    with pytest.raises(TypeError, match="requires"):
        AuthMiddleware(Application(), issuer="https://acme.torii.so", requires=Require())  # type: ignore[call-arg]
