"""Held against the published package 0.0.13: the same names, calls and decisions, but for the list below.

Where TORII_PUBLISHED_PYTHON names an interpreter that has it, what is written here about it is checked too.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
import torii_backend
from support import published as program
from support.emulator import REPOSITORY
from torii_backend import ToriiAuthError, Verifier
from torii_backend._testing import ManualClock
from torii_backend.errors import ToriiConfigError

NAMES = [
    "ToriiApiError",
    "ToriiAuth",
    "ToriiAuthError",
    "ToriiClient",
    "ToriiCreateUserInput",
    "ToriiCursorPageUser",
    "ToriiProblemDetail",
    "ToriiSession",
    "ToriiUpdateUserInput",
    "ToriiUser",
    "authenticate_request",
    "clear_jwks_cache_for_tests",
    "create_torii_client",
    "verify_token",
    "verify_webhook",
]

# The parameters as they were declared; `...` stands for a default that cannot be written.
_VERIFY = "token, *, issuer, audience=None, leeway=30.0"
_CLIENT = "*, secret_key, api_url=None"
CALLS = {
    "torii_backend:verify_token": _VERIFY,
    "torii_backend.verify:verify_token": _VERIFY,
    "torii_backend:authenticate_request": (
        "headers, *, issuer, audience=None, leeway=30.0, header='authorization'"
    ),
    "torii_backend:verify_webhook": "*, secret, headers, payload",
    "torii_backend:clear_jwks_cache_for_tests": "",
    "torii_backend:create_torii_client": _CLIENT,
    "torii_backend.client:create_torii_client": _CLIENT,
    "torii_backend.fastapi:require_auth": "*, issuer, audience=None, leeway=30.0",
    "torii_backend:ToriiAuthError": "message, cause=None",
    "torii_backend:ToriiApiError": "message, status, body=None",
    "torii_backend:ToriiAuth": (
        "user_id, environment_id, issuer, email_verified, profile_complete, impersonating, locale, raw"
    ),
    "torii_backend.client:ToriiClient.close": "self",
    "torii_backend.client:UsersClient.list": (
        "self, *, limit=None, cursor=None, name=..., user_ids=None, email_addresses=None, email=None, "
        "statuses=None, created_after=None, created_before=None, organization_id=None"
    ),
    "torii_backend.client:UsersClient.get": "self, user_id",
    "torii_backend.client:UsersClient.create": "self, body",
    "torii_backend.client:UsersClient.update": "self, user_id, body",
    "torii_backend.client:UsersClient.delete": "self, user_id",
    "torii_backend.client:UsersClient.ban": "self, user_id",
    "torii_backend.client:UsersClient.unban": "self, user_id",
    "torii_backend.client:SessionsClient.list_for_user": "self, user_id",
    "torii_backend.client:SessionsClient.revoke_all_for_user": "self, user_id",
    "torii_backend.client:SessionsClient.revoke": "self, user_id, session_id",
}

# What 0.0.13 accepts and we refuse, by our code. The migration page says why; each case of the corpus, too.
REFUSED = {
    "malformed",
    "too_large",
    "crit_unsupported",
    "typ_not_allowed",
    "key_ambiguous",
    "key_unusable",
    "jwks_unavailable",
    "claim_type:exp",
    "claim_type:iat",
    "claim_type:nbf",
    "claim_type:sub",
    "claim_type:pid",
    "claim_type:impersonating",
    "audience_mismatch",
    "header_malformed",
    "header_ambiguous",
}
# What 0.0.13 refuses and we accept.
ACCEPTED = {
    "claims/iss-slash-configured-only",
    "claims/iss-slashes-configured-only",
    "payload/unknown-claims",
}
# What both accept and read differently.
READ_DIFFERENTLY = {"email_verified", "impersonating"}


def corpus() -> list[dict[str, Any]]:
    """The cases of `contract/tokens` that can be put to both packages."""
    cases: list[dict[str, Any]] = []
    for path in sorted((REPOSITORY / "contract/tokens").glob("*.json")):
        family = json.loads(path.read_text())
        for case in family["cases"]:
            policy = case["policy"]
            if "keySet" not in case or not policy.keys() <= {
                "issuer",
                "audiences",
                "leewaySeconds",
                "header",
            }:
                continue
            settings = {
                "issuer": policy["issuer"],
                "audience": policy.get("audiences"),
                "leeway": policy.get("leewaySeconds", 30),
            }
            cases.append(
                {
                    "name": f"{path.stem}/{case['name']}",
                    "token": case.get("token"),
                    "headers": case.get("headers"),
                    "header": policy.get("header", "authorization"),
                    "keySet": family["keySets"][case["keySet"]],
                    "now": case["now"],
                    "settings": settings,
                }
            )
    return cases


def ours(case: dict[str, Any]) -> dict[str, Any]:
    settings = dict(case["settings"])
    try:
        verifier = Verifier(
            settings.pop("issuer"),
            **settings,
            header=case["header"],
            jwks=case["keySet"],
            clock=ManualClock(case["now"]),
        )
    except ToriiConfigError:
        return {"refused": "jwks_unavailable"}
    try:
        if case["token"] is not None:
            auth = verifier.verify(case["token"])
        else:
            fields = [(name.encode(), value.encode("latin-1")) for name, value in case["headers"]]
            auth = verifier.authenticate_request(fields)
    except ToriiAuthError as error:
        return {"refused": error.code}
    return {"accepted": {name: getattr(auth, name) for name in program.ATTRIBUTES}}


@pytest.fixture(scope="module")
def published() -> Any:
    """What the published package answers."""
    python = os.environ.get("TORII_PUBLISHED_PYTHON")
    if not python:
        pytest.skip("TORII_PUBLISHED_PYTHON names no interpreter with the published package 0.0.13")
    asked = json.dumps({"calls": list(CALLS), "cases": corpus()})
    ran = subprocess.run(
        [python, "-I", program.__file__], input=asked, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_every_published_name_is_here() -> None:
    assert set(NAMES) <= set(torii_backend.__all__)
    for name in NAMES:
        assert getattr(torii_backend, name)
    for module, names in {
        "client": ["DEFAULT_API_URL", "SessionsClient", "ToriiClient", "UsersClient", "create_torii_client"],
        "errors": ["ToriiApiError", "ToriiAuthError"],
        "types": ["ToriiAuth"],
        "verify": ["authenticate_request", "clear_jwks_cache_for_tests", "verify_token", "verify_webhook"],
        "fastapi": ["require_auth"],
    }.items():
        for name in names:
            assert hasattr(importlib.import_module(f"torii_backend.{module}"), name), f"{module}.{name}"


@pytest.mark.parametrize("path", CALLS)
def test_every_published_call_is_still_one(path: str) -> None:
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if found is torii_backend.ToriiAuth and sys.version_info < (3, 10):
        pytest.skip("Python 3.9 drops the signatures of an extension's classes")
    now = dict(inspect.signature(found).parameters)
    for old in parameters(CALLS[path]):
        new = now.pop(old.name)
        assert new.kind == old.kind, old.name
        if old.default not in (inspect.Parameter.empty, ...):
            assert new.default == old.default, old.name
    several = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    required = [new for new in now.values() if new.default is new.empty and new.kind not in several]
    assert not required


def parameters(call: str) -> list[inspect.Parameter]:
    return list(inspect.signature(eval(f"lambda {call}: None")).parameters.values())


def test_what_is_written_here_about_the_published_calls_is_true(published: Any) -> None:
    for path, call in CALLS.items():
        actual = re.sub(r"<object object at \w+>", "...", published["calls"][path])
        assert actual == f"({call})", path


def test_every_decision_is_the_published_one_or_listed(published: Any) -> None:
    refused: Counter[str] = Counter()
    accepted: set[str] = set()
    read: Counter[str] = Counter()
    same = 0
    for case, theirs in zip(corpus(), published["cases"]):
        decision = ours(case)
        if "accepted" in theirs and "refused" in decision:
            refused[decision["refused"]] += 1
        elif "accepted" in decision and "accepted" not in theirs:
            accepted.add(case["name"])
        elif "accepted" in decision:
            read.update(
                name for name, value in decision["accepted"].items() if theirs["accepted"][name] != value
            )
            same += 1
        else:
            same += 1
    print(f"{same} the same; refused {refused}; accepted {accepted}; read differently {read}")
    assert set(refused) == REFUSED
    assert accepted == ACCEPTED
    assert set(read) == READ_DIFFERENTLY
    assert same > 800


def test_every_difference_is_on_the_migration_page() -> None:
    page = (REPOSITORY / "docs/migrating-from-0.0.13.md").read_text()
    for name in REFUSED | READ_DIFFERENTLY:
        assert f"`{name}`" in page, name
