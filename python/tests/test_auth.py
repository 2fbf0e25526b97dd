"""`ToriiAuth`: a frozen dataclass in all but the making."""

from __future__ import annotations

import copy
import dataclasses
import gc
import json
import multiprocessing
import pickle
import subprocess
import sys
import weakref
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from support.keys import USER, SigningKey
from torii_backend import ToriiActiveOrganization, ToriiActor, ToriiAuth, Verifier
from torii_backend._testing import ManualClock

ISSUER = "https://acme.torii.so"
NOW = 1_790_000_000
FIELDS = {
    "user_id": "user-1",
    "environment_id": "environment-1",
    "issuer": ISSUER,
    "email_verified": True,
    "profile_complete": False,
    "impersonating": False,
    "locale": "de",
    "raw": {"sub": "user-1", "nested": {"list": [1]}},
}
KEY = SigningKey("key-1")


def verified(settings: Any = None, /, **claims: object) -> ToriiAuth:
    verifier = Verifier(ISSUER, jwks={"keys": [KEY.jwk()]}, clock=ManualClock(NOW), **settings or {})
    return verifier.verify(KEY.token(ISSUER, iat=NOW, exp=NOW + 300, **claims))


@pytest.fixture(params=["verified", "made"])
def auth(request: pytest.FixtureRequest) -> ToriiAuth:
    return verified(locale="de", o={"id": "org-1"}) if request.param == "verified" else ToriiAuth(**FIELDS)


def values(auth: ToriiAuth) -> dict[str, Any]:
    return {name: getattr(auth, name) for name in FIELDS}


def test_it_is_made_of_its_fields_by_name_or_in_order() -> None:
    assert values(ToriiAuth(**FIELDS)) == values(ToriiAuth(*FIELDS.values())) == FIELDS
    with pytest.raises(TypeError):
        ToriiAuth(user_id="user-1")


def test_raw_is_what_json_makes_of_the_payload() -> None:
    payload = {
        "big": 2**60 + 1,
        "float": 1.5,
        "text": "\u00e9\U0001f600",
        "list": [None, True, {}],
        "nothing": None,
    }
    raw = verified(**{name: value for name, value in payload.items() if value is not None}).raw
    assert {name: raw[name] for name in payload if name in raw} == {
        k: v for k, v in payload.items() if v is not None
    }
    assert [type(raw["big"]), type(raw["float"]), type(raw["iat"])] == [int, float, int]
    assert list(raw)[:3] == ["iss", "sub", "pid"]


def test_raw_is_one_dict_that_keeps_changes(auth: ToriiAuth) -> None:
    before = dict(values(auth), organization=auth.organization)
    auth.raw["added"] = 1
    assert auth.raw is auth.raw
    assert auth.raw["added"] == 1
    assert copy.copy(auth).raw is auth.raw
    assert copy.deepcopy(auth).raw == auth.raw
    assert copy.deepcopy(auth).raw is not auth.raw
    assert dict(values(auth), organization=auth.organization) == before


def test_a_changed_raw_changes_no_other_attribute_of_a_verified_token() -> None:
    auth = verified(o={"id": "org-1", "rol": "member"})
    auth.raw.update(sub="other", o={"id": "org-2"}, exp=0, act={"sub": "somebody"})
    assert (auth.user_id, auth.organization, auth.expires_at, auth.actor) == (
        USER,
        ToriiActiveOrganization("org-1", "member"),
        NOW + 300,
        None,
    )


def test_nothing_can_be_set(auth: ToriiAuth) -> None:
    for name in (*FIELDS, "actor", "new"):
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
            setattr(auth, name, "x")
        with pytest.raises(AttributeError):
            delattr(auth, name)


def test_it_equals_what_has_the_same_fields(auth: ToriiAuth) -> None:
    assert auth == ToriiAuth(**values(auth))
    assert not auth != ToriiAuth(**values(auth))  # noqa: SIM202
    for name in FIELDS:
        assert auth != ToriiAuth(**{**values(auth), name: "different"})
    assert auth != tuple(values(auth).values())
    assert (auth == None) is False  # noqa: E711
    with pytest.raises(TypeError, match="unhashable"):
        hash(auth)


def test_it_prints_as_a_dataclass_does(auth: ToriiAuth) -> None:
    published = dataclasses.make_dataclass("ToriiAuth", FIELDS, frozen=True)
    assert repr(auth) == str(auth) == repr(published(**values(auth)))
    assert eval(repr(auth)) == auth


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_pickled_and_copied(auth: ToriiAuth, protocol: int) -> None:
    for copied in (pickle.loads(pickle.dumps(auth, protocol)), copy.copy(auth), copy.deepcopy(auth)):
        assert copied == auth
        assert (copied.organization, copied.expires_at) == (auth.organization, auth.expires_at)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_it_travels_between_processes(auth: ToriiAuth, method: str) -> None:
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(copy.copy, (auth,)) == auth


def test_it_is_a_dataclass_to_those_who_ask(auth: ToriiAuth) -> None:
    assert dataclasses.is_dataclass(auth)
    assert dataclasses.is_dataclass(ToriiAuth)
    assert [field.name for field in dataclasses.fields(auth)] == list(FIELDS)
    assert dataclasses.asdict(auth) == values(auth)
    assert dataclasses.astuple(auth) == tuple(values(auth).values())
    changed = dataclasses.replace(auth, locale="fr")
    assert values(changed) == {**values(auth), "locale": "fr"}
    assert auth.__replace__(locale="fr") == changed
    assert ToriiAuth.__match_args__ == tuple(FIELDS)
    assert list(get_type_hints(ToriiAuth)) == list(FIELDS)
    adapter = TypeAdapter(ToriiAuth)
    assert adapter.validate_python(auth) is auth
    assert json.loads(adapter.dump_json(auth)) == values(auth)


def test_it_can_be_inherited_from() -> None:
    class Caller(ToriiAuth):
        @property
        def is_german(self) -> bool:
            return self.locale == "de"

    caller = Caller(**FIELDS)
    assert caller.is_german
    assert caller != ToriiAuth(**FIELDS)
    assert repr(caller).startswith("test_it_can_be_inherited_from.<locals>.Caller(user_id='user-1'")


@pytest.mark.parametrize(
    ("claims", "organization"),
    [
        ({}, None),
        (
            {"o": {"id": "o-1", "rol": "admin", "slg": "acme"}},
            ToriiActiveOrganization("o-1", "admin", "acme"),
        ),
        ({"org_id": "o-1", "org_role": "org:member"}, ToriiActiveOrganization("o-1", "org:member")),
    ],
)
def test_the_organization_is_read_from_the_claims(claims: Any, organization: object) -> None:
    assert verified(**claims).organization == organization
    assert ToriiAuth(**{**FIELDS, "raw": claims}).organization == organization


@pytest.mark.parametrize(
    ("claims", "actor"),
    [
        ({}, None),
        ({"act": {"sub": "admin-1", "more": 1}}, ToriiActor("admin-1", {"sub": "admin-1", "more": 1})),
        ({"act": "somebody"}, ToriiActor(None, "somebody")),
    ],
)
def test_the_actor_is_read_from_the_claims(claims: Any, actor: object) -> None:
    assert verified(**claims).actor == actor
    assert ToriiAuth(**{**FIELDS, "raw": claims}).actor == actor


def test_the_times_are_whole_seconds() -> None:
    auth = verified()
    assert (auth.issued_at, auth.expires_at) == (NOW, NOW + 300)
    made = ToriiAuth(**{**FIELDS, "raw": {"iat": 7.9, "exp": "soon"}})
    assert (made.issued_at, made.expires_at) == (7, 0)
    without = ToriiAuth(**{**FIELDS, "raw": None})
    assert (without.expires_at, without.actor, without.organization) == (0, None, None)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ((), None, None)),
        ({"aud": "api", "jti": "t-1", "nbf": NOW - 1.5}, (("api",), "t-1", NOW - 2)),
        ({"aud": ["api", "web"]}, (("api", "web"), None, None)),
    ],
)
def test_audience_id_and_start_of_the_token_are_read_from_the_claims(claims: Any, expected: object) -> None:
    settings = {"audience": "api"} if "aud" in claims else {}
    for auth in (verified(settings, **claims), ToriiAuth(**{**FIELDS, "raw": claims})):
        assert (auth.audience, auth.jwt_id, auth.not_before) == expected


def test_it_can_be_made_from_claims_in_tests() -> None:
    auth = ToriiAuth.for_tests("ada", org_id="o-1", org_role="org:admin", email_verified=True, exp=7, act={})
    assert (auth.user_id, auth.email_verified, auth.impersonating, auth.expires_at) == ("ada", True, True, 7)
    assert (auth.has_role("org:admin"), auth.has_role("org:member")) == (True, False)
    assert not ToriiAuth.for_tests().has_role("org:admin")
    assert ToriiAuth.for_tests().raw.keys() == {"sub", "pid", "iss"}


@pytest.mark.parametrize("library", ["msgspec", "object.__new__", "allocated"])
def test_an_instance_that_was_never_initialised_is_an_empty_object(library: str) -> None:
    program = """
import sys, gc, torii_backend
from torii_backend import ToriiAuth
library = sys.argv[1]
if library == "msgspec":
    import msgspec
    made = []
    for text in (b'{"user_id": 1}', b'{}', b'[]'):
        try:
            made.append(msgspec.json.decode(text, type=ToriiAuth))
        except msgspec.ValidationError:
            pass
    empty = ToriiAuth.__new__(ToriiAuth)
elif library == "object.__new__":
    try:
        object.__new__(ToriiAuth)
    except TypeError:
        pass
    empty = ToriiAuth.__new__(ToriiAuth)
else:
    import ctypes
    alloc = ctypes.pythonapi.PyType_GenericAlloc
    alloc.restype, alloc.argtypes = ctypes.py_object, (ctypes.py_object, ctypes.c_ssize_t)
    empty = alloc(ToriiAuth, 0)
for use in (repr, vars, dir, hash, lambda a: a.user_id, lambda a: a.raw, lambda a: a.organization,
            lambda a: a.expires_at, lambda a: a == a, lambda a: a == ToriiAuth.for_tests()):
    try:
        use(empty)
    except (AttributeError, TypeError):
        pass
del empty
gc.collect()
"""
    subprocess.run([sys.executable, "-X", "faulthandler", "-c", program, library], check=True, timeout=60)


def test_msgspec_and_pydantic_make_one_from_json(auth: ToriiAuth) -> None:
    msgspec = pytest.importorskip("msgspec")
    adapter = TypeAdapter(ToriiAuth)
    for made in (
        msgspec.json.decode(msgspec.json.encode(auth), type=ToriiAuth),
        msgspec.convert(values(auth), ToriiAuth),
        adapter.validate_json(adapter.dump_json(auth)),
        adapter.validate_python(values(auth)),
        TypeAdapter(list[ToriiAuth]).validate_python([values(auth)])[0],
    ):
        assert type(made) is ToriiAuth
        assert made == auth
        assert (made.organization, made.expires_at) == (auth.organization, auth.expires_at)
        assert pickle.loads(pickle.dumps(made)) == auth
        with pytest.raises(dataclasses.FrozenInstanceError):
            made.user_id = "other"
    with pytest.raises(ValidationError, match="user_id"):
        adapter.validate_python({})
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**values(auth), "email_verified": "yes"}, ToriiAuth)


def test_pydantic_validates_it_as_a_field(auth: ToriiAuth) -> None:
    class Session(BaseModel):
        model_config = ConfigDict(revalidate_instances="always")
        auth: ToriiAuth

    session = Session(auth=auth)
    assert session.auth == auth
    assert Session.model_validate_json(session.model_dump_json()) == session
    assert set(Session.model_json_schema()["$defs"]["ToriiAuth"]["required"]) == set(FIELDS)


def test_fastapi_takes_it_as_a_body() -> None:
    from fastapi import FastAPI
    from support.web import TestClient

    app = FastAPI()

    @app.post("/")
    def echo(auth: ToriiAuth) -> ToriiAuth:
        return auth

    client = TestClient(app)
    assert client.post("/", json=FIELDS).json() == FIELDS
    assert client.post("/", json={"user_id": "user-1"}).status_code == 422


def test_it_has_what_an_object_of_a_python_class_has(auth: ToriiAuth) -> None:
    assert vars(auth) == values(auth)
    assert weakref.ref(auth)() is auth
    assert [name for name in FIELDS if name in dir(auth)] == list(FIELDS)
    cycle = verified()
    cycle.raw["auth"] = cycle
    gone = weakref.ref(cycle)
    del cycle
    gc.collect()
    assert gone() is None


def test_a_dataclass_can_inherit_from_it() -> None:
    @dataclasses.dataclass(frozen=True)
    class Caller(ToriiAuth):
        plan: str

    caller = Caller(**FIELDS, plan="pro")
    assert (caller.plan, caller.user_id, caller.raw) == ("pro", "user-1", FIELDS["raw"])
    assert dataclasses.asdict(caller) == {**FIELDS, "plan": "pro"}
    assert dataclasses.replace(caller, plan="free").plan == "free"
    assert copy.copy(caller) == caller
    assert "plan='pro'" in repr(caller)
    with pytest.raises(dataclasses.FrozenInstanceError):
        caller.plan = "free"


def test_its_annotations_are_right_from_the_start() -> None:
    program = """
import torii_backend, sys
auth = torii_backend.ToriiAuth
assert "torii_backend.types" not in sys.modules
from typing import Optional, get_type_hints
hints = get_type_hints(auth)
assert list(hints) == list(auth.__match_args__), hints
assert (hints["user_id"], hints["locale"]) == (str, Optional[str]), hints
assert auth.__annotations__ == hints
assert auth.__dataclass_params__.frozen
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_what_is_not_asked_for_is_not_loaded() -> None:
    program = """
import sys, torii_backend
auth = torii_backend.ToriiAuth(*[None] * 8)
assert auth.user_id is None and "dataclasses" not in sys.modules
import pickle
assert pickle.loads(pickle.dumps(auth)) == auth
assert hasattr(type(auth), "__dataclass_fields__") and "dataclasses" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
