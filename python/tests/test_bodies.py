"""What a request's body says: exactly what was given, or nothing is sent and the member is named."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import types
from collections import deque
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Callable
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError, computed_field, field_serializer
from support.documents import user
from support.standin import USER
from torii_backend import ToriiClient, ToriiCreateUserInput, ToriiUpdateUserInput, create_torii_client
from torii_backend.errors import ToriiRequestError
from torii_backend.models import (
    ToriiCreateInvitationInput,
    ToriiUpdateMetadataInput,
    ToriiUpdateUserMetadataInput,
    ToriiUser,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.recorder import Recorder

REPLY = {
    **user(1),
    **dict.fromkeys(("organizationId", "userId"), USER),
    "name": "n",
    "email": "x@y.com",
    "role": "r",
    **dict.fromkeys(("joinedAt", "expiresAt"), "2026-01-01T00:00:00Z"),
}


@pytest.fixture
def torii(recorder: Recorder) -> Iterator[ToriiClient]:
    with create_torii_client(secret_key="sk_test_bodies", api_url=recorder.url) as torii:
        yield torii


def sent(recorder: Recorder, call: Callable[[], object]) -> str:
    """The body that a call sends."""
    recorder.reply(200, REPLY)
    call()
    return recorder.take().body.decode()


# Every method that sends a bag, in every form, and the name of the bag there.
def _update(t: ToriiClient, bag: Any) -> object:
    return t.users.update(USER, unsafe_metadata=bag)


FORMS: dict[str, tuple[str, Callable[[ToriiClient, Any], object]]] = {
    "users.update": ("unsafe_metadata", _update),
    "users.update, mapping": (
        "unsafe_metadata",
        lambda t, bag: t.users.update(USER, {"unsafeMetadata": bag}),
    ),
    "users.update, model": (
        "unsafe_metadata",
        lambda t, bag: t.users.update(USER, ToriiUpdateUserInput(unsafe_metadata=bag)),
    ),
    "users.create": ("private_metadata", lambda t, bag: t.users.create(private_metadata=bag)),
    "users.create, model": (
        "public_metadata",
        lambda t, bag: t.users.create(ToriiCreateUserInput(public_metadata=bag)),
    ),
    "users.update_metadata": (
        "public_metadata",
        lambda t, bag: t.users.update_metadata(USER, public_metadata=bag),
    ),
    "users.update_metadata, model": (
        "private_metadata",
        lambda t, bag: t.users.update_metadata(USER, ToriiUpdateUserMetadataInput(private_metadata=bag)),
    ),
    "organizations.update_metadata": (
        "public_metadata",
        lambda t, bag: t.organizations.update_metadata(USER, {"public_metadata": bag}),
    ),
    "organizations.update_member_metadata": (
        "private_metadata",
        lambda t, bag: t.organizations.update_member_metadata(USER, USER, private_metadata=bag),
    ),
    "invitations.create": (
        "public_metadata",
        lambda t, bag: t.invitations.create(email="x@y.com", public_metadata=bag),
    ),
    "invitations.create, model": (
        "private_metadata",
        lambda t, bag: t.invitations.create(
            ToriiCreateInvitationInput(email="x@y.com", private_metadata=bag)
        ),
    ),
    "invitations.update_metadata": (
        "private_metadata",
        lambda t, bag: t.invitations.update_metadata(USER, ToriiUpdateMetadataInput(private_metadata=bag)),
    ),
}


@pytest.mark.parametrize(("bag", "call"), FORMS.values(), ids=FORMS)
def test_numbers_of_any_size_travel_as_they_are_and_keys_in_their_order(
    recorder: Recorder, torii: ToriiClient, bag: str, call: Callable[[ToriiClient, Any], object]
) -> None:
    given = {
        "z": 2**64,
        "a": [-(2**63) - 1, {"y": 2**200 + 1, "b": 10**300}],
        "m": 1e308,
        "k": -0.0,
        "c": 5e-324,
    }
    text = sent(recorder, lambda: call(torii, given))
    found = json.loads(text)[bag.replace("_m", "M")]
    assert json.dumps(found) == json.dumps(given)


@pytest.mark.parametrize(("bag", "call"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("value", "where"),
    [
        (float("nan"), "k"),
        ([1, {"deep": float("-inf")}], r"k\.1\.deep"),
        (2**1024, "k"),
        ({"n": 10**5000}, r"k\.n"),
        ({None: 1}, "k"),
        ({7: 1}, "k"),
        ({"s": "\ud800"}, r"k\.s"),
        ({"\ud800": 1}, "k"),
        (object(), "k"),
        (b"\xff", "k"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_refused_with_its_members_name(
    recorder: Recorder,
    torii: ToriiClient,
    bag: str,
    call: Callable[[ToriiClient, Any], object],
    value: Any,
    where: str,
) -> None:
    with pytest.raises(
        ToriiRequestError, match=rf"^[a-z_.]+: the request cannot be sent: {bag}\.{where}: "
    ) as no:
        call(torii, {"fine": 1, "k": value})
    assert " column " not in str(no.value)
    assert recorder.requests == []


class Colour(str, Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 2**70


class Whole(int):
    pass


@dataclasses.dataclass
class Point:
    x: int


class Inner(BaseModel):
    y: float


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.10"), '"1.10"'),
        (Decimal(2) ** 80, '"1208925819614629174706176"'),
        (UUID(USER), f'"{USER}"'),
        (datetime(2026, 1, 1, tzinfo=timezone.utc), '"2026-01-01T00:00:00Z"'),
        (Colour.RED, '"red"'),
        ({Colour.RED: 1}, '{"red":1}'),
        (Level.HIGH, str(2**70)),
        (Whole(2**70), str(2**70)),
        (True, "true"),
        ((1, 2**65), f"[1,{2**65}]"),
        (deque([1]), "[1]"),
        (frozenset({2**65}), f"[{2**65}]"),
        (types.MappingProxyType({"a": 2**65}), f'{{"a":{2**65}}}'),
        (Point(2**65), f'{{"x":{2**65}}}'),
        (Inner(y=0.5), '{"y":0.5}'),
        ({"gone": None}, '{"gone":null}'),
        ("é\u2028", '"é\u2028"'),
    ],
    ids=repr,
)
def test_other_values_become_what_json_has_for_them(
    recorder: Recorder, torii: ToriiClient, value: Any, text: str
) -> None:
    assert sent(recorder, lambda: _update(torii, {"k": value})) == f'{{"unsafeMetadata":{{"k":{text}}}}}'


@pytest.mark.parametrize("value", [Point(float("nan")), Inner(y=float("inf"))], ids=repr)  # type: ignore[arg-type]
def test_what_is_inside_an_object_is_named_too(recorder: Recorder, torii: ToriiClient, value: Any) -> None:
    with pytest.raises(ToriiRequestError, match=r": unsafe_metadata\.k\.[xy]: is NaN or infinite"):
        _update(torii, {"k": value})
    assert recorder.requests == []


def nested(depth: int) -> dict[str, Any]:
    bag: dict[str, Any] = {}
    for _ in range(depth - 1):
        bag = {"a": bag}
    return bag


def test_depth_has_a_limit_that_names_the_bag(recorder: Recorder, torii: ToriiClient) -> None:
    assert sent(recorder, lambda: _update(torii, nested(126))).count("{") == 127
    circle: dict[str, Any] = {}
    circle["a"] = circle
    for bag in (nested(127), nested(5000), circle):
        with pytest.raises(ToriiRequestError, match=r": unsafe_metadata: has more than 126 levels$"):
            _update(torii, bag)
    assert recorder.requests == []


def test_replies_keep_numbers_and_the_order_of_keys(recorder: Recorder, torii: ToriiClient) -> None:
    bag = {"z": 2**64, "a": {"y": -(2**200), "b": 1}}
    document = {**user(1), "privateMetadata": bag, "new": 2**70}
    recorder.reply(200, document)
    ada = torii.users.get(USER)
    recorder.reply(200, {"items": [document], "nextCursor": None, "hasMore": False})
    (listed,) = torii.users.list()
    for each in (ada, listed):
        assert json.dumps(each.private_metadata) == json.dumps(bag)
        assert each.model_extra == {"new": 2**70}


# Changes of a model that go around its checks.


def by_assignment_to_its_members(patch: ToriiUpdateUserInput) -> ToriiUpdateUserInput:
    patch.__dict__["first_name"] = "Ada"
    return patch


def by_the_deprecated_copy(patch: ToriiUpdateUserInput, **changes: Any) -> ToriiUpdateUserInput:
    with pytest.warns(DeprecationWarning, match="copy"):
        return patch.copy(update=changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.model_copy(update={"first_name": "Ada"}),
        lambda patch: patch.model_copy(update={"firstName": "Ada"}),
        lambda patch: patch.model_copy(update={"firstName": "Eve"}).model_copy(update={"first_name": "Ada"}),
        lambda patch: patch.model_copy(update={"first_name": "Eve"}).model_copy(update={"firstName": "Ada"}),
        lambda patch: by_the_deprecated_copy(patch, firstName="Ada"),
        by_assignment_to_its_members,
        lambda _: ToriiUpdateUserInput.model_construct(first_name="Ada"),
        lambda _: ToriiUpdateUserInput.model_construct(firstName="Ada"),
        lambda _: ToriiUpdateUserInput.model_construct(set(), first_name="Ada"),
        lambda patch: copy.deepcopy(patch.model_copy(update={"firstName": "Ada"}, deep=True)),
    ],
)
def test_a_change_of_a_model_is_sent(
    recorder: Recorder, torii: ToriiClient, change: Callable[[ToriiUpdateUserInput], ToriiUpdateUserInput]
) -> None:
    changed = change(ToriiUpdateUserInput())
    assert sent(recorder, lambda: torii.users.update(USER, changed)) == '{"firstName":"Ada"}'


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.model_copy(update={"frist_name": "Ada"}),
        lambda patch: patch.model_copy(update={"first_name": 7}),
        lambda patch: patch.model_copy(update={"unsafe_metadata": None}),
        lambda patch: by_the_deprecated_copy(patch, frist_name="Ada"),
        lambda patch: by_the_deprecated_copy(patch, first_name=7),
        lambda _: ToriiUpdateUserInput.model_construct(frist_name="Ada"),
        lambda _: ToriiUpdateUserInput.model_construct({"frist_name"}),
        lambda _: ToriiUpdateUserInput.model_construct(first_name=7),
        lambda patch: setattr(patch, "frist_name", "Ada"),
        lambda patch: setattr(patch, "firstName", "Ada"),
        lambda patch: patch.__dict__.update(frist_name="Ada") or patch,
        lambda patch: patch.model_fields_set.add("frist_name") or patch,
    ],
)
def test_a_change_that_cannot_be_sent_is_refused(
    recorder: Recorder, torii: ToriiClient, change: Callable[[ToriiUpdateUserInput], ToriiUpdateUserInput]
) -> None:
    with pytest.raises(
        (ToriiRequestError, ValidationError, TypeError), match=r"fr?is?r?st_?[nN]ame|unsafe_metadata"
    ):
        torii.users.update(USER, change(ToriiUpdateUserInput()))
    assert recorder.requests == []


def test_a_bag_that_is_changed_in_place_is_looked_at_again(recorder: Recorder, torii: ToriiClient) -> None:
    patch = ToriiUpdateUserInput(unsafe_metadata={"a": 1})
    assert patch.unsafe_metadata
    patch.unsafe_metadata["b"] = 2**70
    assert sent(recorder, lambda: torii.users.update(USER, patch)) == (
        f'{{"unsafeMetadata":{{"a":1,"b":{2**70}}}}}'
    )
    patch.unsafe_metadata["c"] = float("nan")
    with pytest.raises(ToriiRequestError, match=r"unsafe_metadata\.c: is NaN"):
        torii.users.update(USER, patch)


class Mine(ToriiUpdateUserInput):
    nickname: str = ""

    @functools.cached_property
    def greeting(self) -> str:
        return f"Hello {self.first_name}"


class Shouting(ToriiUpdateUserInput):
    @field_serializer("name")
    def shout(self, name: str) -> str:
        return name.upper()


class Computing(ToriiUpdateUserInput):
    @computed_field
    def initial(self) -> str:
        return "A"


def test_a_subclass_sends_what_the_api_has_and_no_more(recorder: Recorder, torii: ToriiClient) -> None:
    mine = Mine(first_name="Ada")
    assert mine.greeting == "Hello Ada"
    assert sent(recorder, lambda: torii.users.update(USER, mine)) == '{"firstName":"Ada"}'
    for changed, problem in (
        (Mine(first_name="Ada", nickname="A"), "nickname: Extra inputs"),
        (Shouting(name="Ada"), "serializers of its own"),
        (Computing(name="Ada"), "serializers of its own"),
    ):
        with pytest.raises(ToriiRequestError, match=problem):
            torii.users.update(USER, changed)
    assert recorder.requests == []


def test_inputs_travel_through_queues_as_json() -> None:
    patch = ToriiUpdateUserInput(name="Ada", phone=None, unsafe_metadata={"n": 2**70})
    for text in (patch.to_json(), patch.model_dump_json(exclude_unset=True)):
        back = ToriiUpdateUserInput.model_validate_json(text)
        assert (back, back.model_fields_set, back.to_json()) == (
            patch,
            patch.model_fields_set,
            patch.to_json(),
        )
    # What was not given cannot be told from what is cleared any more: it is refused, not sent.
    with pytest.raises(ValidationError, match="unsafe_metadata"):
        ToriiUpdateUserInput(**ToriiUpdateUserInput(name="Ada").model_dump())
    made = ToriiCreateUserInput(email="x@y.com")
    for back in (
        ToriiCreateUserInput(**made.model_dump()),
        ToriiCreateUserInput.model_validate_json(made.model_dump_json()),
    ):
        assert (back, back.to_json()) == (made, '{"email":"x@y.com"}')


def test_a_reply_is_copied_with_either_kind_of_name() -> None:
    ada = ToriiUser.model_validate(user(1))
    changed = ada.model_copy(update={"firstName": "Ada", "mood": "new"})
    assert (changed.first_name, changed.model_extra) == ("Ada", {"mood": "new"})
    assert json.loads(changed.to_json())["firstName"] == "Ada"
