"""A program for the interpreter that has the published package: what it offers, and what it decides.

It reads `{"calls": […], "cases": […]}` from standard input and answers on standard output. Keys and time
come from the case.
"""

from __future__ import annotations

import datetime
import importlib
import inspect
import json
import sys

ATTRIBUTES = (
    "user_id",
    "environment_id",
    "issuer",
    "email_verified",
    "profile_complete",
    "impersonating",
    "locale",
)


class Headers(list):
    """Header fields, of which a name may occur twice."""

    def items(self):
        return iter(self)


def signature(path: str) -> str:
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    parameters = inspect.signature(found).parameters.values()
    bare = (parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters)
    return str(inspect.Signature(list(bare)))


def decide(case: dict) -> dict:
    import jwt
    import torii_backend

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(case["now"], tz)

    jwt.api_jwt.datetime = Clock
    jwt.PyJWKClient.fetch_data = lambda _: json.loads(case["keySet"])
    torii_backend.clear_jwks_cache_for_tests()
    try:
        if case["token"] is not None:
            auth = torii_backend.verify_token(case["token"], **case["settings"])
        else:
            fields = Headers(case["headers"])
            auth = torii_backend.authenticate_request(fields, header=case["header"], **case["settings"])
    except torii_backend.ToriiAuthError:
        return {"refused": True}
    except Exception as error:  # noqa: BLE001
        return {"raised": type(error).__name__}
    return {"accepted": {name: getattr(auth, name) for name in ATTRIBUTES}}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    answers = {
        "calls": {path: signature(path) for path in asked["calls"]},
        "cases": [decide(case) for case in asked["cases"]],
    }
    json.dump(answers, sys.stdout)
