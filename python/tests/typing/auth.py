"""`ToriiAuth` by itself: with a type of claims, without one, and read into a model."""

from dataclasses import dataclass
from typing import Any, TypedDict

from pydantic import BaseModel
from torii_backend import ToriiAuth, Verifier, verify_token
from typing_extensions import assert_type


class Model(BaseModel):
    plan: str


@dataclass
class Plain:
    plan: str


class Dict(TypedDict):
    plan: str


auth = verify_token("token", issuer="https://acme.torii.so")
assert_type(auth, ToriiAuth)
assert_type(auth.claims, dict[str, Any])
assert_type(Verifier("https://acme.torii.so").verify("token"), ToriiAuth)
assert_type(auth.claims_as(Model), Model)
assert_type(auth.claims_as(Plain), Plain)
assert_type(auth.claims_as(Dict), Dict)
assert_type(ToriiAuth.for_tests().user_id, str)


def with_claims(caller: ToriiAuth[Model]) -> str:
    assert_type(caller.claims, Model)
    assert_type(caller.raw, dict[str, Any])
    return caller.claims.plan


def without(caller: ToriiAuth) -> None:
    with_claims(caller)  # expect-error
    caller.claims_as("Model")  # expect-error
    caller.claims_as(Model).seats  # expect-error


def other(caller: ToriiAuth[Plain]) -> None:
    with_claims(caller)  # expect-error


auth.tenant_id  # expect-error
ToriiAuth.for_tests(1)  # expect-error
