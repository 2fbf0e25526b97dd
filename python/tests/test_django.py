"""`torii_backend.django`: what the author of a project can write. The contract has what clients see."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("django")
from conformance.application import verifier
from conformance.apps import django_asgi
from conformance.interleaving import mixups
from conformance.runner import filled
from support import django_project as project
from torii_backend import FromPath, Require, ToriiAuth
from torii_backend.errors import ToriiConfigError

project.configure()

from asgiref.sync import iscoroutinefunction  # noqa: E402
from django.core import checks  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.test import AsyncClient, Client, override_settings  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402
from torii_backend.django import AuthMiddleware, RequireAuthMixin, require_auth  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.standin import StandIn

VALID, ADMIN = ({"HTTP_AUTHORIZATION": filled(f"Bearer {{{name}}}")} for name in ("valid", "admin"))
MIDDLEWARE = "torii_backend.django.AuthMiddleware"


def caller(request: Any, **path: Any) -> HttpResponse:
    return JsonResponse({"user_id": request.torii and request.torii.user_id, **path})


async def caller_async(request: Any, **path: Any) -> HttpResponse:
    return caller(request, **path)


BOTH = pytest.mark.parametrize("view", [caller, caller_async])


def behind(view: Callable[..., Any], *more: str, path: str = "me", **torii: Any) -> override_settings:
    """The project with the middleware, and with one view."""
    torii = {"VERIFIER": verifier(), **torii}
    return override_settings(
        MIDDLEWARE=[*more, MIDDLEWARE], TORII=torii, ROOT_URLCONF=project.urls({path: view})
    )


def status(path: str, **headers: str) -> int:
    return Client(raise_request_exception=False).get(path, **headers).status_code


@BOTH
def test_the_middleware_protects_every_view_and_what_is_not_there(view: Any) -> None:
    with behind(view):
        assert Client().get("/me", **VALID).json() == {"user_id": verified("valid").user_id}
        for path in ("/me", "/nowhere"):
            assert status(path) == 401
        assert status("/nowhere", **VALID) == 404


def verified(name: str) -> ToriiAuth:
    return verifier().authenticate_request({"authorization": filled(f"Bearer {{{name}}}")})


async def test_the_middleware_takes_no_thread_of_an_asynchronous_request() -> None:
    seen: list[Any] = []

    async def view(request: Any, org_id: str) -> HttpResponse:
        seen.append(threading.current_thread())
        return await caller_async(request)

    def predicate(auth: ToriiAuth) -> bool:
        seen.append(threading.current_thread())
        return True

    loop_thread = threading.current_thread()
    require = Require(organization=FromPath("org_id"), predicate={"here": predicate})
    with behind(view, path="orgs/<org_id>", REQUIRE=require):
        reply = await AsyncClient().get("/orgs/organization-1", AUTHORIZATION=filled("Bearer {admin}"))
    assert reply.status_code == 200
    assert seen == [loop_thread] * 2


def test_the_middleware_is_asynchronous_exactly_where_its_server_is() -> None:
    with behind(caller_async):
        handler = ASGIHandler()
        assert inspect.iscoroutinefunction(handler._middleware_chain)

        async def answer(request: Any) -> HttpResponse:
            return HttpResponse()

        assert iscoroutinefunction(AuthMiddleware(answer))
        assert not iscoroutinefunction(AuthMiddleware(lambda request: HttpResponse()))


async def test_a_slow_key_endpoint_holds_up_no_other_request(standin: StandIn) -> None:
    standin.hold("keys")
    with behind(caller_async, VERIFIER=None, ISSUER=standin.url, OPTIONAL=True):
        client = AsyncClient()
        token = {"AUTHORIZATION": f"Bearer {standin.token()}"}
        waiting = [asyncio.ensure_future(client.get("/me", **token)) for _ in range(10)]
        for _ in range(10):
            assert (await client.get("/me")).json() == {"user_id": None}
        assert not any(task.done() for task in waiting)
        standin.release()
        assert {(await task).status_code for task in waiting} == {200}


@pytest.mark.timeout(400)
def test_no_request_is_answered_as_another_users() -> None:
    # 10,000 requests of 50 users to an asynchronous server, whose middleware and view take turns.
    with django_asgi.served() as port:
        assert mixups(port) == []


@BOTH
def test_optional_lets_in_who_sends_nothing_but_not_who_sends_something_bad(view: Any) -> None:
    with behind(view, OPTIONAL=True):
        assert Client().get("/me").json() == {"user_id": None}
        assert status("/me", HTTP_AUTHORIZATION="Bearer x") == 401


@BOTH
def test_require_is_checked_before_views_are_looked_for(view: Any) -> None:
    with behind(view, REQUIRE=Require(role="org:administrator")):
        assert [status("/nowhere", **each) for each in (VALID, ADMIN)] == [403, 404]


@BOTH
def test_require_may_name_a_path_parameter(view: Any) -> None:
    require = Require(any_of=[Require(organization=FromPath("org_id"))])
    with behind(view, path="orgs/<slug:org_id>", REQUIRE=require):
        assert [status(f"/orgs/organization-{n}", **ADMIN) for n in (1, 2)] == [200, 403]
        assert status("/orgs/organization-1") == 401
    with behind(view, REQUIRE=require):
        assert status("/me", **ADMIN) == 500
    with behind(view, REQUIRE=require, OPTIONAL=True):
        assert status("/me") == 200


@BOTH
def test_a_preflight_passes_where_it_may(view: Any) -> None:
    preflight = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}
    for allowed in (True, False):
        with behind(view, ALLOW_PREFLIGHT=allowed, REQUIRE=Require(organization=FromPath("x"))):
            assert Client().options("/me", **preflight).status_code == (200 if allowed else 401)


def test_the_users_of_other_authentication_are_left_alone() -> None:
    def view(request: Any) -> HttpResponse:
        return JsonResponse({"user": getattr(request, "user", "nobody")})

    with behind(view, "support.django_project.session_user"):
        assert Client().get("/me", **VALID).json() == {"user": "ada of the session"}


def find_user(auth: ToriiAuth) -> str:
    return f"the row of {auth.user_id}"


async def find_user_async(auth: ToriiAuth) -> str:
    return find_user(auth)


@pytest.mark.parametrize("user", [f"{__name__}.find_user", find_user_async])
async def test_a_function_of_the_projects_own_finds_the_user(user: Any) -> None:
    def plain(request: Any) -> HttpResponse:
        return JsonResponse({"user": str(request.user)})

    async def waiting(request: Any) -> HttpResponse:
        return JsonResponse({"user": await request.auser()})

    expected = {"user": find_user(verified("valid"))}
    with behind(plain, USER=user):
        assert (await asyncio.to_thread(Client().get, "/me", **VALID)).json() == expected
    with behind(waiting, USER=user):
        reply = await AsyncClient().get("/me", AUTHORIZATION=filled("Bearer {valid}"))
        assert reply.json() == expected


@BOTH
def test_the_decorator_has_the_settings_of_the_project_or_its_own(view: Any) -> None:
    plain, options = require_auth(view), require_auth(require=Require(role="org:administrator"))(view)
    own = require_auth(verifier=verifier("outer"))(view)
    for each in (plain, options, own):
        assert inspect.iscoroutinefunction(each) is inspect.iscoroutinefunction(view)
        assert each.__name__ == view.__name__
    urls = project.urls({"plain": plain, "options": options, "own": own})
    with override_settings(ROOT_URLCONF=urls, TORII={"VERIFIER": verifier()}):
        assert [status(path, **VALID) for path in ("/plain", "/options", "/own")] == [200, 403, 401]
        assert [status(path, **ADMIN) for path in ("/plain", "/options", "/own")] == [200, 200, 401]
    # Tests of a project override the setting.
    with override_settings(ROOT_URLCONF=urls, TORII={"VERIFIER": verifier("outer")}):
        assert [status(path, **VALID) for path in ("/plain", "/options", "/own")] == [401, 401, 401]


def test_without_the_setting_nobody_is_let_in() -> None:
    with override_settings(ROOT_URLCONF=project.urls({"me": require_auth(caller)})):
        assert status("/me", **VALID) == 500


def test_a_decorator_with_a_wrong_setting_is_refused_where_it_is_written() -> None:
    with pytest.raises(ToriiConfigError, match="issuer"):
        require_auth(issuer="acme")


@pytest.mark.parametrize("kind", ["method", "dispatch", "mixin"])
@pytest.mark.parametrize("waits", [False, True])
def test_views_that_are_classes_are_protected(kind: str, waits: bool) -> None:
    def get(self: View, request: Any) -> HttpResponse:
        return caller(request)

    async def get_async(self: View, request: Any) -> HttpResponse:
        return caller(request)

    method, decorator = get_async if waits else get, method_decorator(require_auth(optional=False))
    if kind == "method":
        if waits and not iscoroutinefunction(method_decorator(lambda each: each)(get_async)):
            pytest.skip("this Django's method_decorator makes a plain method of an asynchronous one")
        view: Any = type("V", (View,), {"get": decorator(method)})
    elif kind == "dispatch":
        view = method_decorator(require_auth(), name="dispatch")(type("V", (View,), {"get": method}))
    else:
        view = type("V", (RequireAuthMixin, View), {"get": method})
    urls = project.urls({"me": view.as_view()})
    with override_settings(ROOT_URLCONF=urls, TORII={"VERIFIER": verifier()}):
        assert status("/me") == 401
        assert Client().get("/me", **VALID).json() == {"user_id": verified("valid").user_id}


def test_the_mixin_after_the_view_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError, match="RequireAuthMixin must come before View"):
        type("V", (View, RequireAuthMixin), {})

    class Base(RequireAuthMixin, View):
        auth_options = {"optional": True}

    assert issubclass(type("V", (Base,), {}), View)


def found(**settings: Any) -> list[checks.CheckMessage]:
    settings = {"MIDDLEWARE": [MIDDLEWARE], **settings}
    with override_settings(**settings):
        return [each for each in checks.run_checks() if (each.id or "").startswith("torii")]


@pytest.mark.parametrize(
    ("torii", "problem"),
    [
        ({}, 'TORII["ISSUER"]: must be given'),
        ({"ISSUER": "acme"}, 'TORII["ISSUER"]: '),
        ({"ISSUER": "https://acme.torii.so", "LEEWAY": 301}, 'TORII["LEEWAY"]: '),
        ({"ISSUER": "https://acme.torii.so", "ISUER": "x"}, 'TORII["ISUER"]: there is no such setting'),
        ({"issuer": "https://acme.torii.so"}, 'TORII["issuer"]: there is no such setting'),
        ({"ISSUER": "https://acme.torii.so", "USER": "nowhere.find"}, 'TORII["USER"]: No module named'),
    ],
)
def test_the_system_check_names_the_setting_that_is_wrong(torii: dict[str, Any], problem: str) -> None:
    (message,) = found(TORII=torii)
    assert message.level == checks.ERROR
    assert message.msg.startswith(problem)


def test_the_system_check_finds_settings_that_have_no_effect() -> None:
    torii = {"ISSUER": "https://acme.torii.so", "REQUIRE": Require(), "OPTIONAL": False}
    assert found(TORII=torii) == []
    assert [each.msg for each in found(TORII=torii, MIDDLEWARE=[])] == [
        'TORII["OPTIONAL"]: has no effect without the middleware',
        'TORII["REQUIRE"]: has no effect without the middleware',
    ]
    (message,) = found()
    assert message.msg == "TORII: is not set"
    assert found(MIDDLEWARE=[]) == []


def test_a_middleware_with_a_wrong_setting_does_not_start() -> None:
    with behind(caller, OPTIONAL=False, LEEWAY=1), pytest.raises(ToriiConfigError, match="leeway"):
        Client().get("/me", **VALID)


def test_no_token_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), behind(caller, "django.middleware.common.CommonMiddleware"):
        for headers in (VALID, {"HTTP_AUTHORIZATION": filled("Bearer {expired}")}):
            Client().get("/me", **headers)
    assert caplog.text
    assert filled("{valid}") not in caplog.text
    assert filled("{expired}") not in caplog.text
