"""`torii_backend.fastapi`: guards, cookies and WebSockets, beyond the contract's cases."""

from typing import Annotated, Any

import pytest
from conformance import application
from conformance.runner import TOKENS
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket, WebSocketDisconnect
from fastapi.middleware.cors import CORSMiddleware
from support.web import TestClient
from torii_backend import FromPath, Require, ToriiAuth, Verifier
from torii_backend.errors import ToriiConfigError
from torii_backend.fastapi import require_auth

ADMIN = application.GUARDS["/admin"]


def bearer(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS['tokens'][name]}"}


def test_a_route_with_several_requirements_verifies_once() -> None:
    verifier = Verifier(**application.settings())
    auth_dep = require_auth(verifier=verifier)
    member = auth_dep.require(Require(organization=FromPath("org_id")))
    admin = auth_dep.require(ADMIN)
    app = FastAPI(dependencies=[Depends(auth_dep)])
    router = APIRouter(dependencies=[Depends(member)])

    @router.get("/orgs/{org_id}")
    async def organization(
        org_id: str,
        auth: Annotated[ToriiAuth, Depends(admin)],
        plain: Annotated[ToriiAuth, Depends(auth_dep)],
    ) -> str:
        assert auth is plain
        return org_id

    app.include_router(router)
    client = TestClient(app)
    replies = [
        client.get("/orgs/organization-1", headers=bearer(name))
        for name in ("admin", "member", "other_admin")
    ]
    assert [reply.status_code for reply in replies] == [200, 403, 403]
    assert [reply.json()["detail"]["guard"] for reply in replies[1:]] == ["role", "organization"]
    assert verifier.counts().accepted == 3


def test_requiring_more_of_an_optional_dependency_needs_a_caller() -> None:
    auth_dep = require_auth(verifier=application.verifier(), optional=True)
    admin = auth_dep.require(ADMIN)
    app = FastAPI(dependencies=[Depends(auth_dep)])

    @app.get("/open")
    async def anybody() -> str:
        return "open"

    @app.get("/admin")
    async def administrators(auth: Annotated[ToriiAuth, Depends(admin)]) -> str:
        return auth.user_id

    client = TestClient(app)
    assert client.get("/open").status_code == 200
    reply = client.get("/admin")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
    statuses = [
        client.get("/admin", headers=bearer(name)).status_code for name in ("admin", "member", "expired")
    ]
    assert statuses == [200, 403, 401]


def test_tests_of_an_application_override_what_is_verified_and_not_what_is_required() -> None:
    auth_dep = require_auth(verifier=application.verifier())
    app = FastAPI()

    @app.get("/")
    async def administrators(auth: Annotated[ToriiAuth, Depends(auth_dep.require(ADMIN))]) -> str:
        return auth.user_id

    client = TestClient(app)
    for role, status in (("org:administrator", 200), ("org:member", 403)):
        caller = ToriiAuth.for_tests(org_id="organization-1", org_role=role)
        app.dependency_overrides[auth_dep] = lambda caller=caller: caller
        assert client.get("/").status_code == status


def test_scopes_of_a_requirement_that_nobody_looks_at_are_refused() -> None:
    auth_dep = require_auth(verifier=application.verifier())
    app = FastAPI()

    @app.get("/")
    async def administrators(
        auth: Annotated[ToriiAuth, Security(auth_dep.require(ADMIN), scopes=["x"])],
    ) -> str:
        return auth.user_id

    assert TestClient(app).get("/", headers=bearer("admin")).status_code == 500


def test_the_documentation_shows_that_a_cookie_is_taken_as_well() -> None:
    app = FastAPI()
    auth_dep = require_auth(verifier=application.verifier("cookie"))

    @app.get("/me", dependencies=[Depends(auth_dep.require(ADMIN))])
    async def me() -> None: ...

    document = TestClient(app).get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["torii"]["scheme"] == "bearer"
    cookie = schemes["torii-cookie-session"]
    assert (cookie["type"], cookie["in"], cookie["name"]) == ("apiKey", "cookie", "session")
    # One of them is enough.
    security = document["paths"]["/me"]["get"]["security"]
    assert sorted(security, key=str) == [{"torii": []}, {"torii-cookie-session": []}]
    assert "parameters" not in document["paths"]["/me"]["get"]


def test_a_preflight_is_answered_by_fastapis_own_middleware() -> None:
    app = FastAPI(dependencies=[Depends(require_auth(verifier=application.verifier()))])
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"], allow_headers=["authorization"])

    @app.get("/")
    async def nothing() -> None: ...

    client = TestClient(app)
    asks = {
        "origin": "https://app.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    preflight = client.options("/", headers=asks)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, asks["origin"])
    refused = client.get("/", headers={"origin": asks["origin"]})
    # A script may read why it is refused.
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, asks["origin"])
    with pytest.raises(ToriiConfigError, match="CORSMiddleware"):
        require_auth(issuer=application.ISSUER, allow_preflight=True)  # type: ignore[call-overload]


def test_a_websocket_with_its_token_in_a_subprotocol() -> None:
    auth_dep = require_auth(verifier=application.verifier("protocol"))
    app = FastAPI()

    @app.websocket("/live/{org_id}")
    async def live(
        socket: WebSocket, auth: Annotated[ToriiAuth, Depends(auth_dep.require(application.ORGS))]
    ) -> None:
        await socket.accept(subprotocol="bearer")
        await socket.send_text(auth.user_id)
        await socket.close()

    client, token = TestClient(app), TOKENS["tokens"]["member"]
    with client.websocket_connect("/live/organization-1", subprotocols=["bearer", token]) as socket:
        assert socket.accepted_subprotocol == "bearer"
        assert socket.receive_text() == application.verifier().verify(token).user_id
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("/live/organization-2", subprotocols=["bearer", token]),
    ):
        pass
    # An answer, where Starlette can send one; else a code to close with.
    told = getattr(refused.value, "status_code", None) or refused.value.code
    assert told in (403, 1008)


def test_the_hooks_answer_is_in_the_detail() -> None:
    def hook(cause: Exception, refusal: Any) -> Any:
        return refusal._replace(body={"error": "no"}, headers={})

    app = FastAPI(dependencies=[Depends(require_auth(verifier=application.verifier(), on_refused=hook))])

    @app.get("/")
    async def nothing() -> None: ...

    reply = TestClient(app).get("/")
    assert (reply.status_code, reply.json()) == (401, {"detail": {"error": "no"}})
