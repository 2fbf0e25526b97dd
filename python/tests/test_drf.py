"""`torii_backend.drf`: what the author of a project can write. The contract has what clients see."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("rest_framework")
from conformance.application import verifier
from conformance.runner import filled
from support import django_project as project
from torii_backend import Require, ToriiAuth

project.configure()

from django.test import override_settings  # noqa: E402
from rest_framework.authentication import BaseAuthentication, BasicAuthentication  # noqa: E402
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from rest_framework.throttling import UserRateThrottle  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from torii_backend.drf import Requires, ToriiAuthentication  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

VALID, ADMIN = ({"HTTP_AUTHORIZATION": filled(f"Bearer {{{name}}}")} for name in ("valid", "admin"))
BASIC = {"HTTP_AUTHORIZATION": "Basic YWRhOmxvdmVsYWNl"}
IS_ADMINISTRATOR = Require(role="org:administrator")


class Anybody(BaseAuthentication):
    """Authenticates everybody, as a session does for those who are signed in."""

    def authenticate(self, request: Any) -> Any:
        return ("ada of the session", None)


class ReadOnly(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return request.method in ("GET", "HEAD", "OPTIONS")


class Views:
    """One view at `/me`, with classes of the framework, and clients of it."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def client(self, *permissions: Any, by: Any = (ToriiAuthentication,), **more: Any) -> APIClient:
        def get(view: APIView, request: Any) -> Response:
            return Response({"id": getattr(request.user, "pk", None), "is_ours": request.auth is not None})

        members = {"authentication_classes": by, "permission_classes": permissions or (Requires(),), **more}
        view = type("Me", (APIView,), {"get": get, "post": get, **members})
        self._settings(ROOT_URLCONF=project.urls({"me": view.as_view()}), TORII={"VERIFIER": verifier()})
        return APIClient(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.fixture
def views() -> Iterator[Views]:
    with ExitStack() as stack:
        yield Views(lambda **settings: stack.enter_context(override_settings(**settings)))


def statuses(client: APIClient, *requests: dict[str, str], method: str = "get") -> list[int]:
    return [getattr(client, method)("/me", **headers).status_code for headers in requests]


def test_a_caller_is_enough_of_a_user_for_the_frameworks_own_classes(views: Views) -> None:
    class Often(UserRateThrottle):
        rate = "1000/day"

    client = views.client(IsAuthenticated, throttle_classes=(Often,))
    reply = client.get("/me", **VALID)
    auth = verifier().authenticate_request({"authorization": VALID["HTTP_AUTHORIZATION"]})
    assert (reply.status_code, reply.json()) == (200, {"id": auth.user_id, "is_ours": True})
    assert statuses(views.client(IsAdminUser), VALID) == [403]


def test_without_a_guard_the_framework_itself_keeps_anonymous_requests_out(views: Views) -> None:
    reply = views.client(IsAuthenticated).get("/me")
    assert (reply.status_code, reply["WWW-Authenticate"]) == (401, "Bearer")
    assert statuses(views.client(AllowAny), {}, {"HTTP_AUTHORIZATION": "Bearer x"}) == [200, 401]


@pytest.mark.parametrize("others", [(), (Anybody,)])
def test_a_refused_token_is_a_401_whatever_class_comes_first(views: Views, others: Any) -> None:
    class Nobody(BaseAuthentication):
        """Has no challenge, for which the framework answers 403."""

        def authenticate(self, request: Any) -> None:
            return None

    reply = views.client(by=(Nobody, ToriiAuthentication, *others)).get("/me", HTTP_AUTHORIZATION="Bearer x")
    assert (reply.status_code, reply["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert reply.json() == {"code": "authentication_failed", "message": "Authentication failed."}


def test_another_scheme_is_left_to_the_class_that_follows(views: Views) -> None:
    class Basic(BasicAuthentication):
        def authenticate_credentials(self, userid: str, password: str, request: Any = None) -> Any:
            return (userid, None)

    both = views.client(AllowAny, by=(ToriiAuthentication, Basic))
    assert both.get("/me", **BASIC).json() == {"id": None, "is_ours": False}
    assert statuses(both, {"HTTP_AUTHORIZATION": "Bearer x"}, VALID) == [401, 200]
    assert statuses(views.client(AllowAny), BASIC) == [401]


def test_somebody_whom_another_class_knows_is_no_caller(views: Views) -> None:
    client = views.client(by=(Anybody, ToriiAuthentication))
    assert statuses(client, {}, VALID) == [401, 401]


def test_a_guard_without_the_authentication_class_is_a_mistake_that_lets_nobody_in(
    views: Views, caplog: pytest.LogCaptureFixture
) -> None:
    reply = views.client(by=(Anybody,)).get("/me", **VALID)
    assert (reply.status_code, reply.json()["code"]) == (500, "configuration_error")
    assert "Requires: the route is not behind ToriiAuthentication" in caplog.text


def test_guards_are_parts_of_other_permissions(views: Views) -> None:
    requests = ({}, VALID, ADMIN)
    assert statuses(views.client(Requires(IS_ADMINISTRATOR) | ReadOnly), *requests) == [200, 200, 200]
    either = views.client(ReadOnly | Requires(IS_ADMINISTRATOR))
    assert statuses(either, *requests, method="post") == [401, 403, 200]
    both = views.client(IsAuthenticated & Requires(IS_ADMINISTRATOR))
    assert statuses(both, *requests) == [401, 403, 200]
    assert statuses(views.client(IsAuthenticated & ~Requires(IS_ADMINISTRATOR)), *requests) == [401, 200, 403]


def test_a_refusal_that_does_not_count_leaves_no_headers(views: Views) -> None:
    reply = views.client(Requires(IS_ADMINISTRATOR) | ReadOnly).get("/me", **VALID)
    assert reply.status_code == 200
    assert "Cache-Control" not in reply
    assert "WWW-Authenticate" not in reply


def test_tests_of_a_project_put_a_caller_there(views: Views) -> None:
    client = views.client(Requires(IS_ADMINISTRATOR))
    for role, expected in (("org:administrator", 200), ("org:member", 403)):
        auth = ToriiAuth.for_tests(org_id="organization-1", org_role=role)
        client.force_authenticate(user=object(), token=auth)
        assert statuses(client, {}) == [expected]


def test_a_user_of_the_projects_own_takes_the_callers_place(views: Views) -> None:
    class Rows(ToriiAuthentication):
        def user(self, auth: ToriiAuth) -> Any:
            return type("Row", (), {"pk": 7, "is_authenticated": True})()

    assert views.client(IsAuthenticated, by=(Rows,)).get("/me", **VALID).json() == {"id": 7, "is_ours": True}


class ByCookie(ToriiAuthentication):
    auth_options = {"verifier": verifier("cookie")}


def test_a_cookie_needs_a_csrf_token_where_something_changes(views: Views) -> None:
    client = views.client(by=(ByCookie,))
    client.cookies["session"] = filled("{valid}")
    assert statuses(client, {}) == [200]
    refused = client.post("/me")
    assert (refused.status_code, refused.json()["guard"]) == (403, "csrf")
    # No other site can make a browser send the header.
    assert statuses(client, VALID, method="post") == [200]
    token = "x" * 32
    client.cookies["csrftoken"] = token
    assert statuses(client, {"HTTP_X_CSRFTOKEN": token}, method="post") == [200]


def test_documents_of_drf_spectacular_have_the_scheme() -> None:
    pytest.importorskip("drf_spectacular")
    from drf_spectacular.generators import SchemaGenerator

    class Described(APIView):
        def get(self, request: Any) -> Response:
            return Response()

    class OtherHeader(ToriiAuthentication):
        auth_options = {"verifier": verifier("token-header")}

    for by, scheme in (
        (ToriiAuthentication, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        (OtherHeader, {"type": "apiKey", "in": "header", "name": "x-token"}),
    ):
        members = {"authentication_classes": (by,), "schema": project.spectacular()}
        view = type("View", (Described,), members)
        urls = project.urls({"me": view.as_view()}).urlpatterns
        with override_settings(TORII={"VERIFIER": verifier()}):
            document = SchemaGenerator(patterns=urls).get_schema(request=None, public=True)
        assert document["components"]["securitySchemes"]["torii"].items() >= scheme.items()
        assert {"torii": []} in document["paths"]["/me"]["get"]["security"]
