"""`torii_backend.ninja`: what the author of an API can write. The contract has what clients see."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable

import pytest

pytest.importorskip("django")
from conformance.application import verifier
from conformance.runner import filled
from support import django_project as project
from torii_backend import FromPath, Require
from torii_backend.errors import ToriiConfigError

project.configure()
pytest.importorskip("ninja")

from django.http import HttpResponse  # noqa: E402
from django.test import AsyncClient, Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Router  # noqa: E402
from ninja.testing import TestAsyncClient, TestClient  # noqa: E402
from torii_backend.ninja import Nobody, RefusedError, ToriiBearer, answer_refused  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.standin import StandIn

VALID, ADMIN = ({"HTTP_AUTHORIZATION": filled(f"Bearer {{{name}}}")} for name in ("valid", "admin"))


def caller(request: Any) -> dict[str, Any]:
    return {"user_id": request.torii and request.torii.user_id, "same": request.auth is request.torii}


async def caller_async(request: Any) -> Any:
    return caller(request)


BOTH = pytest.mark.parametrize("operation", [caller, caller_async])
Serve = Callable[..., NinjaAPI]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an API with one operation, `/me`."""
    with ExitStack() as stack:

        def serve(operation: Any, auth: Any, *, full: bool = True, router: Any = None) -> NinjaAPI:
            api = NinjaAPI(auth=auth, urls_namespace=f"api-{id(auth)}")
            if full:
                answer_refused(api)
            api.api_operation(["GET", "POST"], "/me")(operation)
            if router is not None:
                api.add_router("/router", router)
            module = project.urls({})
            module.urlpatterns = [path("", api.urls)]
            stack.enter_context(override_settings(ROOT_URLCONF=module, TORII={"VERIFIER": verifier()}))
            return api

        yield serve


def status(**headers: Any) -> int:
    return Client(raise_request_exception=False).get("/me", **headers).status_code


@BOTH
def test_a_caller_is_the_operations_auth(serve: Serve, operation: Any) -> None:
    serve(operation, ToriiBearer())
    auth = verifier().authenticate_request({"authorization": VALID["HTTP_AUTHORIZATION"]})
    assert Client().get("/me", **VALID).json() == {"user_id": auth.user_id, "same": True}
    assert status() == 401


@BOTH
@pytest.mark.parametrize("returned", [None, False, 0, ""])
def test_a_predicate_that_returns_nothing_true_lets_nobody_in(
    serve: Serve, operation: Any, returned: Any
) -> None:
    # ninja's issue 658: an asynchronous callable that returned `False` let requests through.
    serve(operation, ToriiBearer(require=Require(predicate={"never": lambda auth: returned})))
    assert status(**VALID) == 403


@BOTH
def test_without_a_token_the_answer_is_401_and_not_500(serve: Serve, operation: Any) -> None:
    # ninja's issue 771: a callable that returned `None` was answered with 500.
    serve(operation, ToriiBearer())
    reply = Client().get("/me")
    assert (reply.status_code, reply["WWW-Authenticate"]) == (401, "Bearer")
    assert reply.json() == {"code": "authentication_failed", "message": "Authentication failed."}


@BOTH
def test_without_the_handler_ninjas_own_answers_with_the_same_status(serve: Serve, operation: Any) -> None:
    serve(operation, ToriiBearer(require=Require(role="org:administrator")), full=False)
    assert [status(**each) for each in ({}, VALID, ADMIN)] == [401, 403, 200]
    assert Client().get("/me").json() == {"detail": "Authentication failed."}


@BOTH
def test_a_handler_of_the_apis_own_answers_in_place_of_it(serve: Serve, operation: Any) -> None:
    api = serve(operation, ToriiBearer())
    api.add_exception_handler(RefusedError, lambda request, error: HttpResponse(status=499))
    assert status() == 499


@BOTH
def test_optional_lets_in_who_sends_nothing_but_not_who_sends_something_bad(
    serve: Serve, operation: Any
) -> None:
    serve(operation, ToriiBearer(optional=True))
    assert Client().get("/me").json() == {"user_id": None, "same": False}
    assert status(HTTP_AUTHORIZATION="Bearer x") == 401
    assert Nobody().user_id is None


async def test_operations_are_not_moved_to_another_thread(serve: Serve) -> None:
    seen: list[Any] = []

    def here(auth: Any) -> bool:
        seen.append(threading.current_thread())
        return True

    serve(caller_async, ToriiBearer(require=Require(predicate={"here": here})))
    reply = await AsyncClient().get("/me", AUTHORIZATION=filled("Bearer {valid}"))
    assert reply.status_code == 200
    assert seen == [threading.current_thread()]


async def test_a_slow_key_endpoint_holds_up_no_other_request(serve: Serve, standin: StandIn) -> None:
    standin.hold("keys")
    serve(caller_async, ToriiBearer(issuer=standin.url, optional=True))
    client, token = AsyncClient(), {"AUTHORIZATION": f"Bearer {standin.token()}"}
    waiting = [asyncio.ensure_future(client.get("/me", **token)) for _ in range(10)]
    for _ in range(10):
        assert (await client.get("/me")).status_code == 200
    assert not any(task.done() for task in waiting)
    standin.release()
    assert {(await task).status_code for task in waiting} == {200}


def test_routers_and_operations_have_their_own(serve: Serve) -> None:
    router = Router(auth=ToriiBearer(require=Require(organization=FromPath("org_id"))))

    @router.get("/orgs/{org_id}")
    def organization(request: Any, org_id: str) -> Any:
        return caller(request)

    @router.get("/open", auth=None)
    def anybody(request: Any) -> Any:
        return {}

    serve(caller, ToriiBearer(), router=router)
    client = Client()
    statuses = [client.get(f"/router/orgs/organization-{n}", **ADMIN).status_code for n in (1, 2)]
    assert statuses == [200, 403]
    assert client.get("/router/open").status_code == 200


@BOTH
def test_a_cookie_needs_a_csrf_token_where_something_changes(serve: Serve, operation: Any) -> None:
    serve(operation, ToriiBearer(verifier=verifier("cookie")))
    client = Client(enforce_csrf_checks=True)
    client.cookies["session"] = filled("{valid}")
    assert client.get("/me").status_code == 200
    refused = client.post("/me")
    assert (refused.status_code, refused.json()["guard"]) == (403, "csrf")
    assert client.post("/me", **VALID).status_code == 200
    client.cookies["csrftoken"] = "x" * 32
    assert client.post("/me", HTTP_X_CSRFTOKEN="x" * 32).status_code == 200


def test_the_apis_document_has_the_scheme(serve: Serve) -> None:
    for name, scheme in (
        ("plain", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        ("token-header", {"type": "apiKey", "in": "header", "name": "x-token"}),
    ):
        document = serve(caller, ToriiBearer(verifier=verifier(name))).get_openapi_schema()
        assert document["components"]["securitySchemes"]["ToriiBearer"].items() >= scheme.items()
        assert document["paths"]["/me"]["get"]["security"] == [{"ToriiBearer": []}]


@BOTH
async def test_ninjas_own_client_for_tests_can_ask(operation: Any) -> None:
    router = Router(auth=ToriiBearer(verifier=verifier(), require=Require(role="org:administrator")))
    router.get("/me")(operation)
    client: Any = TestAsyncClient(router) if operation is caller_async else TestClient(router)
    found = []
    for name in ("valid", "admin"):
        headers = {"Authorization": filled(f"Bearer {{{name}}}")}
        if operation is caller_async:
            found.append((await client.get("/me", headers=headers)).status_code)
        else:
            found.append((await asyncio.to_thread(client.get, "/me", headers=headers)).status_code)
    assert found == [403, 200]


def test_a_setting_that_cannot_be_used_is_refused_where_it_is_written() -> None:
    with pytest.raises(ToriiConfigError, match="issuer"):
        ToriiBearer(issuer="acme")
