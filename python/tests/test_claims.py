"""Claims of a type of the application's own: what they are read into, and what becomes of them in copies."""

# ruff: noqa: FA100 -- `typing.get_type_hints` evaluates these on Python 3.9.
import copy
import dataclasses
import pickle
import subprocess
import sys
import typing
from dataclasses import dataclass
from typing import Any, Optional

import msgspec
import pytest
from pydantic import BaseModel, ConfigDict
from support.keys import SigningKey
from torii_backend import ToriiAuth, ToriiConfigError, Verifier
from torii_backend._gate import Gate, Refused
from typing_extensions import TypedDict

ISSUER = "https://acme.torii.so"
KEY = SigningKey("first")
VERIFIER = Verifier(ISSUER, jwks={"keys": [KEY.jwk()]})


class Model(BaseModel):
    plan: str
    seats: int = 1


@dataclass
class Plain:
    plan: str
    seats: int = 1


class Dict(TypedDict):
    plan: str


class Struct(msgspec.Struct):
    plan: str
    seats: int = 1


KINDS = [Model, Plain, Dict, Struct]


def admitted(kind: Any, **claims: object) -> ToriiAuth[Any]:
    gate = Gate(verifier=VERIFIER, claims=kind)
    auth = gate.admit({"authorization": f"Bearer {KEY.token(ISSUER, **claims)}"})
    assert auth is not None
    return auth


@pytest.mark.parametrize("kind", KINDS)
def test_claims_are_read_into_the_type_of_the_application(kind: Any) -> None:
    auth = admitted(kind, plan="pro", seats=3, other=True)
    plan = auth.claims["plan"] if kind is Dict else auth.claims.plan
    assert (plan, isinstance(auth.claims, dict if kind is Dict else kind)) == ("pro", True)
    assert auth.raw["other"] is True
    assert auth.claims_as(kind) == auth.claims
    assert auth.claims_as(dict[str, Any]) == auth.raw


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "claims", [{}, {"plan": None}, {"plan": 1}, {"plan": ["pro"]}, {"plan": {"name": "pro"}}]
)
def test_claims_of_another_shape_are_a_403(kind: Any, claims: Any) -> None:
    with pytest.raises(Refused) as refused:
        admitted(kind, **claims)
    assert (refused.value.refusal.status, refused.value.refusal.body["guard"]) == (403, "claims")
    with pytest.raises(ValueError, match="plan"):
        VERIFIER.verify(KEY.token(ISSUER, **claims)).claims_as(kind)


def test_a_model_that_forbids_what_it_does_not_name_refuses_the_tokens_own_claims() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")

        plan: str

    with pytest.raises(Refused):
        admitted(Strict, plan="pro")


def test_a_type_that_claims_cannot_be_read_into_is_refused_where_it_is_written() -> None:
    class Arbitrary:
        pass

    for kind in (Arbitrary, object()):
        with pytest.raises(ToriiConfigError, match=r"^claims: "):
            Gate(verifier=VERIFIER, claims=kind)


def test_without_a_type_the_claims_are_raw() -> None:
    auth = admitted(None, plan="pro")
    assert auth.claims is auth.raw
    made = ToriiAuth.for_tests(plan="pro")
    assert made.claims is made.raw


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_pickles_keep_them(kind: Any) -> None:
    auth = admitted(kind, plan="pro")
    copies = [copy.copy(auth), copy.deepcopy(auth)]
    copies += [pickle.loads(pickle.dumps(auth, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for copied in copies:
        assert copied == auth
        assert (copied.claims, type(copied.claims)) == (auth.claims, type(auth.claims))
    assert copies[0].claims is auth.claims
    assert copies[1].claims is not auth.claims


def test_they_stand_beside_the_fields() -> None:
    auth, plain = admitted(Model, plan="pro"), admitted(None, plan="pro")
    fields = [field.name for field in dataclasses.fields(auth)]
    assert set(vars(auth)) == set(fields)
    assert "claims" not in repr(auth)
    assert dataclasses.asdict(auth).keys() == dataclasses.asdict(plain).keys()
    assert msgspec.to_builtins(auth).keys() == set(fields)
    assert auth == ToriiAuth(**vars(auth))
    assert auth != dataclasses.replace(auth, user_id="other")
    with pytest.raises(dataclasses.FrozenInstanceError):
        auth.claims = None


def test_what_replace_makes_has_the_claims_of_its_raw() -> None:
    auth = admitted(Model, plan="pro")
    changed = dataclasses.replace(auth, raw={"plan": "free"})
    assert (changed.claims, auth.claims.plan) == ({"plan": "free"}, "pro")
    assert dataclasses.replace(auth, locale="en").claims == auth.raw


def test_the_claims_of_one_token_are_not_those_of_the_next() -> None:
    gate = Gate(verifier=VERIFIER, claims=Model)
    headers = [{"authorization": f"Bearer {KEY.token(ISSUER, plan=plan)}"} for plan in ("pro", "free")]
    found = [gate.admit(headers[turn % 2]).claims.plan for turn in range(6)]
    assert found == ["pro", "free"] * 3
    # The verifier remembers the token, and not what an application has made of it.
    plain = Gate(verifier=VERIFIER).admit(headers[0])
    assert isinstance(plain.claims, dict)


def caller(auth: ToriiAuth[Model], maybe: Optional[ToriiAuth[Plain]] = None) -> ToriiAuth: ...


def test_annotations_that_name_them_are_evaluated() -> None:
    hints = typing.get_type_hints(caller)
    assert hints["auth"] == ToriiAuth[Model]
    assert typing.get_origin(hints["auth"]) is ToriiAuth
    assert typing.get_args(hints["auth"]) == (Model,)
    assert hints["maybe"] == Optional[ToriiAuth[Plain]]
    assert hints["return"] is ToriiAuth
    assert "ToriiAuth[" in repr(hints["auth"])


def test_a_class_with_a_type_of_claims_is_made_and_inherited_from() -> None:
    class Caller(ToriiAuth[Model]):
        @property
        def plan(self) -> str:
            return self.claims_as(Model).plan

    assert Caller.for_tests(plan="pro").plan == "pro"
    assert ToriiAuth[Model].for_tests("ada", plan="pro").user_id == "ada"


def test_reading_claims_loads_pydantic_only_where_it_is_used() -> None:
    program = """
import sys, msgspec
from torii_backend import ToriiAuth
class Claims(msgspec.Struct):
    plan: str
assert ToriiAuth.for_tests(plan="pro").claims_as(Claims).plan == "pro"
assert "pydantic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
