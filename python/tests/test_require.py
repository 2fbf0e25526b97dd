"""`Require`: what each guard lets in and what it refuses, and which arguments it takes."""

from __future__ import annotations

import functools
import math
import time
from typing import Any, Callable

import pytest
import torii_backend
from freezegun import freeze_time
from support.keys import SigningKey
from torii_backend import FromPath, Require, ToriiAuth, ToriiConfigError, ToriiDeniedError, Verifier

ISSUER = "https://acme.torii.so"
KEY = SigningKey("first")
VERIFIER = Verifier(ISSUER, jwks={"keys": [KEY.jwk()]})
# freezegun asks modules for all their attributes, and what these load at the first access needs a real date.
LATE = ["fastapi", "pydantic"]
torii_backend.models  # noqa: B018
ADMIN = {"org_id": "organization-1", "org_role": "org:administrator"}


def verified(**claims: object) -> ToriiAuth:
    return VERIFIER.verify(KEY.token(ISSUER, **claims))


def made(**claims: object) -> ToriiAuth:
    return ToriiAuth.for_tests(**{"iat": int(time.time()), **claims})


@pytest.fixture(params=[verified, made])
def caller(request: pytest.FixtureRequest) -> Callable[..., ToriiAuth]:
    """Makes a caller of claims: of a token, and for tests."""
    return request.param


def refused_by(require: Require, auth: ToriiAuth, path: dict[str, object] | None = None) -> str | None:
    """The guard that does not agree, or `None` for a caller that is let in."""
    try:
        require.check(auth, path)
    except ToriiDeniedError as error:
        return error.guard
    return None


GUARDS: list[tuple[dict[str, Any], str, list[dict[str, object]], list[dict[str, object]]]] = [
    (
        {"verified_email": True},
        "verified_email",
        [{"email_verified": True}],
        [{}, {"email_verified": False}, {"email_verified": "true"}, {"email_verified": 1}],
    ),
    (
        {"complete_profile": True},
        "complete_profile",
        [{}, {"profile_complete": True}],
        [{"profile_complete": False}],
    ),
    (
        {"organization": True},
        "organization",
        [ADMIN, {"org_id": "organization-2"}, {"o": {"id": "organization-2"}}],
        [{}, {"org_role": "org:administrator"}],
    ),
    (
        {"organization": "organization-1"},
        "organization",
        [ADMIN],
        [{}, {"org_id": "organization-2"}, {"org_id": "ORGANIZATION-1"}, {"org_id": "organization-1 "}],
    ),
    (
        {"role": "org:administrator"},
        "role",
        [ADMIN],
        [{}, {**ADMIN, "org_role": "org:member"}, {"org_role": "org:administrator"}],
    ),
    (
        {"claim": {"plan": "pro"}},
        "claim",
        [{"plan": "pro"}, {"plan": ["free", "pro"]}],
        [{}, {"plan": "Pro"}, {"plan": "pro2"}, {"plan": []}, {"plan": {"pro": True}}, {"plan": [["pro"]]}],
    ),
    (
        {"claim": {"plan": ["pro", "team"]}},
        "claim",
        [{"plan": "team"}, {"plan": ["x", "team"]}],
        [{"plan": "free"}, {"plan": "pro,team"}],
    ),
    (
        {"claim": {"level": 1}},
        "claim",
        [{"level": 1}, {"level": [0, 1]}],
        [{"level": "1"}, {"level": True}, {"level": 2}],
    ),
    ({"claim": {"beta": True}}, "claim", [{"beta": True}], [{"beta": "true"}, {"beta": 1}, {"beta": False}]),
    (
        {"claim": {"plan": "pro", "beta": {True, False}}},
        "claim",
        [{"plan": "pro", "beta": False}],
        [{"plan": "pro"}, {"beta": True}],
    ),
    (
        {"impersonation": False},
        "no_impersonation",
        [{}, {"impersonating": False}],
        [{"impersonating": True}, {"act": {"sub": "staff-1"}}],
    ),
]


@pytest.mark.parametrize(("guards", "name", "yes", "no"), GUARDS, ids=lambda each: str(each)[:40])
def test_a_guard_lets_in_what_it_names_and_nothing_else(
    caller: Callable[..., ToriiAuth], guards: Any, name: str, yes: Any, no: Any
) -> None:
    require = Require(**guards)
    for claims in yes:
        assert refused_by(require, caller(**claims)) is None, claims
    for claims in no:
        assert refused_by(require, caller(**claims)) == name, claims


@pytest.mark.parametrize(
    "guards",
    [{}, {"verified_email": False}, {"complete_profile": False}, {"impersonation": True}, {"claim": {}}],
)
def test_what_is_not_asked_for_refuses_nobody(caller: Callable[..., ToriiAuth], guards: Any) -> None:
    assert refused_by(Require(**guards), caller(impersonating=True, profile_complete=False)) is None


def test_all_guards_must_agree_and_the_first_that_does_not_is_named(
    caller: Callable[..., ToriiAuth],
) -> None:
    require = Require(verified_email=True, role="org:administrator", claim={"plan": "pro"})
    good = {"email_verified": True, "plan": "pro", **ADMIN}
    assert refused_by(require, caller(**good)) is None
    assert refused_by(require, caller(**{**good, "plan": "free"})) == "claim"
    assert refused_by(require, caller(**{**good, "plan": "free", "org_role": "org:member"})) == "role"
    assert refused_by(require, caller()) == "verified_email"


def test_the_organization_may_be_the_paths(caller: Callable[..., ToriiAuth]) -> None:
    require = Require(organization=FromPath("org_id"))
    assert refused_by(require, caller(**ADMIN), {"org_id": "organization-1", "x": 1}) is None
    for other in ("organization-2", "", "organization-1/", "organization%2D1", None, 1):
        assert refused_by(require, caller(**ADMIN), {"org_id": other}) == "organization", other
    assert refused_by(require, caller(), {"org_id": "organization-1"}) == "organization"
    assert refused_by(require, caller(), {"org_id": ""}) == "organization"


@pytest.mark.parametrize("path", [None, {}, {"organization": "organization-1"}])
def test_a_route_without_the_parameter_is_a_mistake_whoever_calls(
    caller: Callable[..., ToriiAuth], path: Any
) -> None:
    for claims in (ADMIN, {}):
        with pytest.raises(ToriiConfigError, match="org_id"):
            Require(organization=FromPath("org_id")).check(caller(**claims), path)


def test_a_token_is_as_old_as_its_iat_says(caller: Callable[..., ToriiAuth]) -> None:
    issued = int(time.time())
    auth = caller(iat=issued)
    for now, guard in (
        (issued + 300, None),
        (issued + 300.9, None),
        (issued + 301, "max_age"),
        (issued - 5, None),
    ):
        try:
            Require(max_age=300).check(auth, now=lambda now=now: now)
            denied = None
        except ToriiDeniedError as error:
            denied = error.guard
        assert denied == guard, now - issued
    assert refused_by(Require(max_age=0), caller(iat=issued - 60)) == "max_age"


def test_a_clock_that_a_test_has_frozen_counts() -> None:
    auth = ToriiAuth.for_tests(iat=1_800_000_000)
    for moment, guard in ((1_800_000_300, None), (1_800_000_301, "max_age")):
        with freeze_time(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)), ignore=LATE):
            assert refused_by(Require(max_age=300), auth) == guard
            assert refused_by(Require(any_of=[Require(max_age=300)]), auth) == (guard and "any_of")


def test_a_caller_made_without_iat_is_too_old_for_any_age() -> None:
    assert refused_by(Require(max_age=10**9), ToriiAuth.for_tests()) == "max_age"


def test_any_of_needs_one(caller: Callable[..., ToriiAuth]) -> None:
    require = Require(any_of=[Require(role="org:administrator"), Require(claim={"plan": "pro"})])
    assert refused_by(require, caller(**ADMIN)) is None
    assert refused_by(require, caller(plan="pro")) is None
    assert refused_by(require, caller(plan="free")) == "any_of"
    nested = Require(verified_email=True, any_of=(each for each in [require]))
    assert refused_by(nested, caller(plan="pro", email_verified=True)) is None
    assert refused_by(nested, caller(plan="pro")) == "verified_email"
    assert refused_by(nested, caller(email_verified=True)) == "any_of"


def test_a_mistake_in_an_alternative_is_one_unless_another_agrees(caller: Callable[..., ToriiAuth]) -> None:
    require = Require(any_of=[Require(organization=FromPath("missing")), Require(claim={"plan": "pro"})])
    assert refused_by(require, caller(plan="pro"), {}) is None
    with pytest.raises(ToriiConfigError, match="missing"):
        require.check(caller(plan="free"), {})


@pytest.mark.parametrize("falsy", [False, None, 0, "", [], {}])
def test_a_predicate_that_returns_what_is_falsy_refuses(caller: Callable[..., ToriiAuth], falsy: Any) -> None:
    assert refused_by(Require(predicate={"staff": lambda auth: falsy}), caller()) == "staff"


@pytest.mark.parametrize("unexpected", ["yes", 1, [False], object(), Require()])
def test_a_predicate_that_returns_nonsense_lets_nobody_in(
    caller: Callable[..., ToriiAuth], unexpected: Any
) -> None:
    with pytest.raises(ToriiConfigError, match="predicate: staff returned"):
        Require(predicate={"staff": lambda auth: unexpected}).check(caller())


def test_a_predicate_is_given_the_caller_and_is_asked_last(caller: Callable[..., ToriiAuth]) -> None:
    asked: list[ToriiAuth] = []

    def staff(auth: ToriiAuth) -> bool:
        asked.append(auth)
        return auth.user_id.endswith("-staff")

    require = Require(verified_email=True, predicate={"staff": staff, "never": lambda auth: False})
    assert refused_by(require, caller(sub="ada-staff")) == "verified_email"
    assert asked == []
    auth = made(email_verified=True)
    assert refused_by(require, auth) == "staff"
    assert asked[0] is auth
    assert refused_by(require, ToriiAuth.for_tests("ada-staff", email_verified=True)) == "never"


def test_what_a_predicate_raises_is_raised(caller: Callable[..., ToriiAuth]) -> None:
    def broken(auth: ToriiAuth) -> bool:
        raise LookupError("database")

    for require in (Require(predicate={"x": broken}), Require(any_of=[Require(predicate={"x": broken})])):
        with pytest.raises(LookupError, match="database"):
            require.check(caller())


def test_a_predicate_that_returns_an_awaitable_is_a_mistake_and_none_is_left_waiting() -> None:
    async def coroutine(auth: ToriiAuth) -> bool:
        return True

    with pytest.raises(ToriiConfigError, match="predicate: x returned coroutine"):
        Require(predicate={"x": lambda auth: coroutine(auth)}).check(made())


class AsyncCallable:
    async def __call__(self, auth: ToriiAuth) -> bool:
        return True


async def coroutine_function(auth: ToriiAuth) -> bool:
    return True


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("verified_email", value) for value in (None, 1, "yes")),
        ("complete_profile", "no"),
        ("impersonation", 0),
        ("impersonation", None),
        *(("organization", value) for value in (False, "", 1, ["organization-1"], b"organization-1")),
        *(("role", value) for value in ("", 1, True, ["org:administrator"])),
        *(("claim", value) for value in ("plan", ["plan"], 1)),
        *(("claim", {"plan": value}) for value in ([], {}, {"a": 1}, [["pro"]], b"pro", object())),
        *(("claim", {"plan": value}) for value in (math.nan, [math.inf])),
        ("claim", {"": "pro"}),
        ("claim", {1: "pro"}),
        *(("max_age", value) for value in (-1, 1.5, "300", True, 10**12)),
        *(("any_of", value) for value in ([], (), Require(), "x", [None], [{"role": "x"}], 1)),
        *(("predicate", value) for value in (lambda auth: True, ["x"], {"x": None}, {"x": True})),
        *(("predicate", {name: lambda auth: True}) for name in ("", 1, None)),
        *(("predicate", {"x": value}) for value in (coroutine_function, AsyncCallable())),
        ("predicate", {"x": functools.partial(coroutine_function)}),
    ],
    ids=repr,
)
def test_an_argument_that_cannot_be_used_is_named(argument: str, value: Any) -> None:
    with pytest.raises(ToriiConfigError) as refused:
        Require(**{argument: value})
    assert str(refused.value).startswith(f"{argument}: "), refused.value
    assert refused.value.http_status == 500


@pytest.mark.parametrize("name", ["", 1, None])
def test_a_path_parameter_has_a_name(name: Any) -> None:
    with pytest.raises(ToriiConfigError, match=r"^FromPath: "):
        FromPath(name)


@pytest.mark.parametrize("nobody", [None, {"sub": "user-1"}, "user-1", True])
def test_what_is_no_caller_is_let_in_by_no_requirement(nobody: Any) -> None:
    for require in (Require(), Require(verified_email=True), Require(predicate={"x": lambda auth: True})):
        with pytest.raises(ToriiConfigError, match=r"^auth: "):
            require.check(nobody)


def test_the_error_says_403_the_guard_and_no_claim(caller: Callable[..., ToriiAuth]) -> None:
    with pytest.raises(ToriiDeniedError) as refused:
        Require(claim={"plan": "pro"}).check(caller(plan="secret-plan"))
    assert (refused.value.http_status, refused.value.code) == (403, "permission_denied")
    assert (
        refused.value.www_authenticate
        == 'Bearer error="insufficient_scope", error_description="guard: claim"'
    )
    assert "secret-plan" not in str(refused.value)


def test_a_guards_name_that_no_header_can_carry_is_not_in_it() -> None:
    for name in ('say "hi"', "back\\slash", "new\nline", "größe"):
        error = ToriiDeniedError.of(name)
        assert (error.guard, error.www_authenticate) == (name, 'Bearer error="insufficient_scope"')


def test_it_prints_what_it_demands() -> None:
    require = Require(
        verified_email=True,
        organization=FromPath("org_id"),
        claim={"plan": ["pro"]},
        impersonation=False,
        max_age=300,
        any_of=[Require(role="org:administrator")],
        predicate={"staff": bool},
    )
    assert repr(require) == (
        "Require(['verified_email', {'organization_from_path': 'org_id'}, {'claim': ['plan', ['pro']]}, "
        "'no_impersonation', {'max_age': 300}, {'any_of': [Require([{'role': 'org:administrator'}])]}, "
        "'staff'])"
    )
    assert repr(FromPath("org_id")) == "FromPath('org_id')"


def test_a_gate_uses_the_clock_of_its_verifier() -> None:
    from torii_backend._gate import Gate, Refused

    now = 1_800_000_000
    token = KEY.token(ISSUER, iat=now - 301, exp=now + 300)
    for clock, status in ((now, 403), (now - 1, 200)):
        verifier = Verifier(ISSUER, jwks={"keys": [KEY.jwk()]}, clock=lambda clock=clock: clock)
        try:
            Gate(verifier=verifier, require=Require(max_age=300)).admit({"authorization": f"Bearer {token}"})
            answered = 200
        except Refused as refused:
            answered = refused.refusal.status
        assert answered == status
