"""What the applications of all adapters have in common: their verifiers, guards, and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from torii_backend import FromPath, Require, ToriiAuth, Verifier

from conformance.runner import CONTRACT, TOKENS

if TYPE_CHECKING:
    from torii_backend._gate import Refusal

ISSUER: str = TOKENS["issuer"]
OTHER_ISSUER: str = TOKENS["other_issuer"]


def clock() -> float:
    """Return the time at which the contract's clock stands."""
    return TOKENS["now"]


def settings(**more: Any) -> dict[str, Any]:
    """Return the settings of a verifier whose keys are at hand."""
    jwks = json.loads((CONTRACT / "keys.json").read_text("ascii"))
    return {"issuer": ISSUER, "jwks": jwks, "clock": clock, **more}


@cache
def verifier(name: str = "plain") -> Verifier:
    """Return a verifier of the contract's application: the same one at each call."""
    if name == "unavailable":
        return Verifier(ISSUER, jwks_url="http://127.0.0.1:9/", clock=clock)
    if name == "issuers":
        from conformance.issuers import Issuers

        return Issuers().verifier(clock)
    if name == "outer":
        other_keys = (CONTRACT / "other-keys.json").read_text("ascii")
        return Verifier(OTHER_ISSUER, jwks=other_keys, header="x-outer", clock=clock)
    more = {
        "plain": {},
        "cookie": {"cookie": "session"},
        "token-header": {"header": "x-token"},
        "protocol": {"websocket_protocol": True},
    }
    return Verifier(**settings(**more[name]))


VERIFIERS = {
    "/cookie": "cookie",
    "/token-header": "token-header",
    "/unavailable": "unavailable",
    "/issuers": "issuers",
    "/ws-protocol": "protocol",
    "/ws-cookie": "cookie",
    "/ws-unavailable": "unavailable",
}
"""The verifiers, by route, of those routes that do not have the plain one."""


def _raises(auth: ToriiAuth) -> bool:
    raise RuntimeError("a mistake in the predicate")


def _nothing(auth: ToriiAuth) -> Any:
    return None


def _text(auth: ToriiAuth) -> Any:
    return "yes"


_ADMIN = Require(organization=True, role="org:administrator")
_LOST = Require(organization=FromPath("missing"))

GUARDS = {
    "/verified": Require(verified_email=True),
    "/complete": Require(complete_profile=True),
    "/own": Require(impersonation=False),
    "/recent": Require(max_age=300),
    "/pro": Require(claim={"plan": ["pro", "team"]}),
    "/admin": _ADMIN,
    "/member": Require(organization=True),
    "/org-one": Require(organization="organization-1"),
    "/lost": _LOST,
    "/either": Require(any_of=[Require(role="org:administrator"), Require(claim={"plan": "pro"})]),
    "/predicate": Require(predicate={"staff": lambda auth: auth.user_id.endswith("-staff")}),
    "/raises": Require(predicate={"raises": _raises}),
    "/falsy": Require(predicate={"falsy": _nothing}),
    "/unexpected": Require(predicate={"unexpected": _text}),
    "/ws-admin": _ADMIN,
    "/ws-lost": _LOST,
}
"""The guards by route, but for `/orgs/{org_id}`, whose spelling is the framework's."""

ORGS = Require(organization=FromPath("org_id"))
"""The guard of `/orgs/{org_id}`."""

ANSWERED_BY_CALLER = [
    "/me",
    *(path for path in GUARDS if not path.startswith("/ws")),
    "/cookie",
    "/token-header",
    "/unavailable",
    "/hook",
]
"""The routes that answer GET with the caller, but for `/orgs/{org_id}` and what comes with OPTIONS."""

WEBSOCKETS = ["/ws", "/ws-protocol", "/ws-cookie", "/ws-admin", "/ws-unavailable", "/ws-lost"]

STREAM = [b"one", b"two", b"three"]
ALLOWED_ORIGIN = {"Access-Control-Allow-Origin": "https://app.example"}
"""The headers of the answer, 204, to OPTIONS."""


@dataclass
class Claims:
    """What `/claims` reads."""

    plan: str
    seats: int


def gate(path: str) -> dict[str, Any]:
    """Return the adapter's settings on a route, such as `/admin`; `/orgs` stands for `/orgs/{org_id}`."""
    more: dict[str, Any] = {"verifier": verifier(VERIFIERS.get(path, "plain"))}
    require = ORGS if path == "/orgs" else GUARDS.get(path)
    if require is not None:
        more["require"] = require
    if path == "/optional":
        more["optional"] = True
    if path == "/claims":
        more["claims"] = Claims
    if path == "/hook":
        more["on_refused"] = teapot
    if path == "/cors":
        more["allow_preflight"] = True
    return more


def teapot(_: Exception, refusal: Refusal) -> Refusal:
    """Answer every refused request with 418."""
    return refusal._replace(status=418, headers={}, body={"code": "teapot"})


def caller(auth: ToriiAuth) -> dict[str, Any]:
    """Return what most routes answer."""
    active = auth.organization
    return {
        "user_id": auth.user_id,
        "environment_id": auth.environment_id,
        "organization": active and active.id,
        "role": active and active.role,
    }


def caller_and_issuer(auth: ToriiAuth) -> dict[str, Any]:
    """Return what `/issuers` and `/two` answer."""
    return {"user_id": auth.user_id, "issuer": auth.issuer}


def plan(claims: Claims) -> dict[str, Any]:
    """Return what `/claims` answers."""
    return {"plan": claims.plan, "seats": claims.seats}
