"""The token corpus of `contract/tokens`, through the public methods."""

from __future__ import annotations

import asyncio
import json
from email.message import Message
from typing import Any, Callable

import pytest
from starlette.datastructures import Headers
from support.emulator import REPOSITORY
from torii_backend import ToriiAuth, ToriiAuthError, ToriiConfigError, Verifier
from torii_backend._testing import ManualClock

FAMILIES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((REPOSITORY / "contract/tokens").glob("*.json"))
}
TOKENS = [family for family in FAMILIES if family not in {"authorization", "configuration"}]
SETTINGS = {
    "audiences": "audience",
    "authorizedParties": "authorized_parties",
    "leewaySeconds": "leeway",
    "types": "allowed_types",
    "header": "header",
    "allowInsecureHttp": "allow_insecure_http",
}
Fields = list[tuple[str, bytes]]


@pytest.mark.parametrize("remember", [0, 100])
@pytest.mark.parametrize("family", TOKENS)
def test_every_token_gets_its_decision(family: str, remember: int) -> None:
    def decide(case: Any) -> list[Any]:
        verifier = prepared(family, case, remember)
        # The second time from memory, if there is any.
        return [decision(lambda: verifier.verify(case["token"])) for _ in range(2)]

    compare(family, decide)


@pytest.mark.parametrize("family", TOKENS)
def test_every_token_gets_its_decision_in_a_coroutine(family: str) -> None:
    def decide(case: Any) -> list[Any]:
        verifier = prepared(family, case, 100)
        return [decision(lambda: asyncio.run(verifier.verify_async(case["token"]))) for _ in range(2)]

    compare(family, decide)


@pytest.mark.parametrize("remember", [0, 100])
@pytest.mark.parametrize("family", TOKENS)
def test_every_token_gets_its_decision_in_a_batch(family: str, remember: int) -> None:
    def decide(case: Any) -> list[Any]:
        verifier, token = prepared(family, case, remember), case["token"]
        batches = [
            verifier.verify_many(iter([token, token.encode()])),
            asyncio.run(verifier.verify_many_async([token])),
        ]
        return [outcome(answer) for batch in batches for answer in batch]

    compare(family, decide)


def as_dict(fields: Fields) -> Any:
    headers = {name: value.decode("latin-1") for name, value in fields}
    return headers if len(headers) == len(fields) else None


def as_dict_of_lists(fields: Fields) -> Any:
    headers: dict[str, list[bytes]] = {}
    for name, value in fields:
        headers.setdefault(name, []).append(value)
    return headers


def as_environ(fields: Fields) -> Any:
    """A WSGI environ, or Django's `META`, of which a name comes once."""
    names = ["HTTP_" + name.upper().replace("-", "_") for name, _ in fields if "_" not in name]
    environ = dict(zip(names, (value.decode("latin-1") for _, value in fields)))
    return {"REQUEST_METHOD": "GET", **environ} if len(environ) == len(fields) else None


def as_asgi(fields: Fields) -> Any:
    return [(name.lower().encode(), value) for name, value in fields]


def as_starlette(fields: Fields) -> Any:
    return Headers(raw=as_asgi(fields))


def as_message(fields: Fields) -> Any:
    """What `http.client` and `http.server` have."""
    message = Message()
    for name, value in fields:
        message[name] = value.decode("latin-1")
    return message


FORMS = [as_dict, as_dict_of_lists, as_environ, as_asgi, as_starlette, as_message]


@pytest.mark.parametrize("form", FORMS)
def test_every_header_gets_its_decision(form: Callable[[Fields], Any]) -> None:
    tried = 0

    def decide(case: Any) -> list[Any]:
        nonlocal tried
        encoding = "latin-1" if case.get("headersLatin1") else "ascii"
        headers = form([(name, value.encode(encoding)) for name, value in case["headers"]])
        if headers is None:
            return []
        tried += 1
        verifier = prepared("authorization", case, 100)
        return [
            decision(lambda: verifier.authenticate_request(headers)),
            decision(lambda: asyncio.run(verifier.authenticate_request_async(headers))),
        ]

    compare("authorization", decide)
    assert tried >= 90


def test_every_configuration_gets_its_decision() -> None:
    def decide(case: Any) -> list[Any]:
        policy = case["policy"]
        if isinstance(policy.get("audiences"), str) or isinstance(policy.get("issuer"), list):
            # `audience` takes one text, as it always has, and `issuer` takes several.
            return []
        try:
            return [{"accept": {"jwksUrl": made(case["policy"]).status().url}}]
        except ToriiConfigError as error:
            return [{"error": error.code}]

    compare("configuration", decide)


def compare(family: str, decide: Callable[[Any], list[Any]]) -> None:
    def decisions(case: Any) -> list[Any]:
        try:
            return decide(case)
        except ToriiConfigError:
            # A set that is refused as a whole: an issuer's would be a fetch that failed.
            return [{"error": "jwks_unavailable"}]

    cases = FAMILIES[family]["cases"]
    assert len(cases) >= 20, f"{family} has shrunk"
    wrong = [
        f"{case['name']}: {decision}, not {case['expect']}"
        for case in cases
        for decision in decisions(case)
        if decision != case["expect"]
    ]
    assert not wrong, "\n".join(wrong)


def prepared(family: str, case: Any, remember: int) -> Verifier:
    """A verifier of the case's policy that has its key set at hand."""
    jwks = FAMILIES[family]["keySets"][case["keySet"]]
    return made(case["policy"], jwks=jwks, clock=ManualClock(case["now"]), remember_verified=remember)


def made(policy: Any, **settings: Any) -> Verifier:
    given = {SETTINGS[name]: value for name, value in policy.items() if name != "issuer"}
    return Verifier(policy["issuer"], **given, **settings)


def decision(verify: Callable[[], ToriiAuth]) -> Any:
    try:
        return outcome(verify())
    except ToriiAuthError as error:
        return outcome(error)


def outcome(auth: ToriiAuth | ToriiAuthError) -> Any:
    if isinstance(auth, ToriiAuthError):
        return {"error": auth.code}
    organization = auth.organization
    return {
        "accept": {
            "userId": auth.user_id,
            "environmentId": auth.environment_id,
            "issuer": auth.issuer,
            "emailVerified": auth.email_verified,
            "profileComplete": auth.profile_complete,
            "impersonating": auth.impersonating,
            "actor": auth.actor and auth.actor.subject,
            "organization": organization
            and {"id": organization.id, "role": organization.role, "slug": organization.slug},
            "locale": auth.locale,
            "issuedAt": auth.issued_at,
            "expiresAt": auth.expires_at,
        }
    }
