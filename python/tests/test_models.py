"""The documents, as Python sees them."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date, datetime, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError
from torii_backend import models
from torii_backend.models import (
    ToriiCreateInvitationInput,
    ToriiCreateUserInput,
    ToriiCursorPageUser,
    ToriiImpersonationToken,
    ToriiPage,
    ToriiProblemDetail,
    ToriiSession,
    ToriiUpdateMetadataInput,
    ToriiUpdateUserInput,
    ToriiUpdateUserMetadataInput,
    ToriiUser,
)

ID = "01931a73-8b00-7000-8000-000000000001"
USER = {
    "id": ID,
    "environmentId": "01931a73-8b00-7000-8000-0000000000e1",
    "name": "Ada",
    "firstName": "Ada",
    "lastName": None,
    "locale": "da",
    "status": "active",
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-01T00:00:00.123456Z",
    "email": "x@y.com",
    "emailVerifiedAt": None,
    "deletedAt": None,
    "publicMetadata": {"a": {"b": None}},
    "privateMetadata": {},
    "unsafeMetadata": {"big": 2**70},
}
INPUTS = [kind for name, kind in vars(models).items() if name.endswith("Input")]
REPLIES = [
    kind
    for name, kind in vars(models).items()
    if name.startswith("Torii") and kind not in INPUTS and kind is not ToriiPage
]


def user() -> ToriiUser:
    made = ToriiUser.from_dict(USER)
    assert made
    return made


def test_a_reply_has_ids_instants_and_bags() -> None:
    ada = user()
    assert ada.id == UUID(ID)
    assert ada.created_at == datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert ada.updated_at.microsecond == 123456
    assert ada.public_metadata == {"a": {"b": None}}
    assert ada.unsafe_metadata == {"big": 2**70}
    assert (ada.last_name, ada.email_verified_at) == (None, None)


def test_a_document_is_written_as_it_was_read() -> None:
    ada = user()
    assert json.loads(ada.to_json()) == USER
    assert ada.to_dict() == {
        **USER,
        "id": UUID(ID),
        "environmentId": ada.environment_id,
        "createdAt": ada.created_at,
        "updatedAt": ada.updated_at,
    }
    assert ToriiUser.from_json(ada.to_json()) == ada
    assert ToriiUser.from_dict(ada.to_dict()) == ada
    assert ToriiUser.from_dict(None) is None
    assert "'environmentId': UUID(" in ada.to_str()


def test_a_reply_keeps_what_this_version_does_not_know() -> None:
    made = ToriiUser.from_dict({**USER, "status": "frozen", "locale": "eo", "mood": ["new"]})
    assert made
    assert (made.status, made.locale, made.model_extra) == ("frozen", "eo", {"mood": ["new"]})
    assert json.loads(made.to_json())["mood"] == ["new"]


@pytest.mark.parametrize("kind", REPLIES)
def test_every_reply_keeps_members_that_it_does_not_know(kind: Any) -> None:
    assert kind.model_construct(new=1).new == 1
    assert kind.model_config["extra"] == "allow"


@pytest.mark.parametrize("kind", INPUTS)
def test_every_input_refuses_members_that_the_api_does_not_have(kind: Any) -> None:
    with pytest.raises(ValidationError, match="no_such_member"):
        kind(no_such_member=1)
    with pytest.raises(ValidationError, match="noSuchMember"):
        kind.model_validate({"noSuchMember": 1})


@pytest.mark.parametrize("kind", INPUTS)
def test_an_input_without_anything_says_nothing_but_what_it_must(kind: Any) -> None:
    required = {
        name: {"email": "x@y.com", "reason": "why", "actor_user_id": ID}[name]
        for name, field in kind.model_fields.items()
        if field.is_required()
    }
    bags = {"publicMetadata": {}, "privateMetadata": {}} if kind is ToriiCreateInvitationInput else {}
    written = json.loads(kind(**required).to_json())
    assert written == {**bags, **{kind.model_fields[name].alias: value for name, value in required.items()}}


def test_an_update_knows_what_was_given() -> None:
    patch = ToriiUpdateUserInput(name="Ada", phone=None)
    assert patch.model_fields_set == {"name", "phone"}
    assert patch.model_dump(exclude_unset=True) == {"name": "Ada", "phone": None}
    assert patch.to_json() == '{"name":"Ada","phone":null}'
    patch.last_name = None
    assert patch.to_dict() == {"lastName": None, "name": "Ada", "phone": None}
    assert ToriiUpdateUserInput().to_json() == "{}"


def test_from_dict_invents_no_nulls() -> None:
    for given in ({"firstName": "Ada"}, {"first_name": "Ada"}):
        patch = ToriiUpdateUserInput.from_dict(given)
        assert patch
        assert patch.model_fields_set == {"first_name"}
        assert patch.to_dict() == {"firstName": "Ada"}
    assert ToriiUpdateUserInput.from_json('{"locale": null}') == ToriiUpdateUserInput(locale=None)


def test_both_spellings_are_the_same() -> None:
    assert ToriiUpdateUserInput(firstName="Ada") == ToriiUpdateUserInput(first_name="Ada")  # type: ignore[call-arg]
    assert ToriiCreateUserInput(dateOfBirth="1815-12-10").date_of_birth == "1815-12-10"  # type: ignore[call-arg]
    assert ToriiCreateUserInput(date_of_birth=date(1815, 12, 10)).to_json() == '{"dateOfBirth":"1815-12-10"}'


@pytest.mark.parametrize(
    "kind",
    [ToriiUpdateUserInput, ToriiUpdateMetadataInput, ToriiUpdateUserMetadataInput],
)
def test_a_bag_is_left_alone_or_given_but_never_null(kind: Any) -> None:
    bags = [name for name in kind.model_fields if name.endswith("_metadata")]
    assert bags
    for bag in bags:
        assert kind(**{bag: {"k": None}}).to_json().endswith('Metadata":{"k":null}}')
        assert bag not in kind().model_fields_set
        with pytest.raises(ValidationError, match="leave it out"):
            kind(**{bag: None})
        with pytest.raises(ValidationError, match="leave it out"):
            setattr(kind(), bag, None)


def test_a_change_is_checked() -> None:
    patch = ToriiUpdateUserInput()
    with pytest.raises(ValidationError):
        patch.name = 7  # type: ignore[assignment]
    with pytest.raises(ValidationError):
        patch.nmae = "Ada"  # type: ignore[attr-defined]
    assert patch.to_json() == "{}"


@pytest.mark.parametrize(
    ("cursor", "seen"), [(ID, UUID(ID)), ("opaque", "opaque"), (None, None)], ids=["uuid", "text", "none"]
)
def test_a_cursor_is_an_id_or_any_text(cursor: Any, seen: Any) -> None:
    page = ToriiCursorPageUser.from_dict(
        {"items": [USER], "nextCursor": cursor, "hasMore": cursor is not None}
    )
    assert page
    assert (page.next_cursor, page.items) == (seen, [user()])
    assert json.loads(page.to_json())["items"] == [USER]


def test_a_problem_has_its_code_and_what_else_came() -> None:
    problem = ToriiProblemDetail.from_dict(
        {"title": "No", "status": 409, "code": "gone", "supportId": "s1", "invitationStatus": "REVOKED"}
    )
    assert problem
    assert (problem.code, problem.support_id) == ("gone", "s1")
    assert problem.model_extra == {"invitationStatus": "REVOKED"}


def test_secrets_are_not_printed() -> None:
    token = ToriiImpersonationToken(token="hidden", expires_in_seconds=600, url="https://x/?token=hidden")
    assert "hidden" not in repr(token) + str(token)
    user = ToriiCreateUserInput(password="hidden")
    for shown in (repr(user), user.to_str(), token.to_str()):
        assert "hidden" not in shown
    with pytest.raises(ValidationError) as refused:
        ToriiCreateUserInput(password=["hidden"])  # type: ignore[arg-type]
    assert "hidden" not in str(refused.value)


def test_documents_are_pickled_and_copied() -> None:
    page = ToriiCursorPageUser(items=[user()], next_cursor=ID, has_more=True)
    for each in (page, ToriiUpdateUserInput(phone=None)):
        for made in (pickle.loads(pickle.dumps(each)), copy.copy(each), copy.deepcopy(each)):
            assert (made, made.model_fields_set) == (each, each.model_fields_set)


def test_every_model_is_documented_and_in_the_list() -> None:
    kinds = {name: kind for name, kind in vars(models).items() if name.startswith("Torii")}
    assert sorted(kinds) == models.__all__
    for name, kind in kinds.items():
        assert issubclass(kind, BaseModel)
        assert kind.__doc__, name
    assert ToriiSession.__doc__ == "An active session of an end-user."
