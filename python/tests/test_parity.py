"""The sync client, the async client, the list of operations and the models say the same."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
from pydantic import ValidationError, validate_call
from support.contract import rows
from support.documents import user
from torii_backend import AsyncToriiClient, ToriiClient, _fields, create_torii_client, models
from torii_backend.aio import AsyncItems, AsyncPages
from torii_backend.client import Items, Pages
from torii_backend.fastapi import require_auth
from torii_backend.models import inputs

if TYPE_CHECKING:
    from support.recorder import Recorder

CLIENTS = (
    create_torii_client(secret_key="sk_test_parity"),
    AsyncToriiClient(secret_key="sk_test_parity"),
)
OPTIONS = {"timeout", "attempt_timeout", "retries"}


def methods(torii: object) -> dict[str, Any]:
    """The public methods of every group, as `group.method`."""
    groups = {name: group for name, group in vars(torii).items() if not name.startswith("_")}
    return {
        f"{name}.{method}": found
        for name, group in groups.items()
        for method, found in inspect.getmembers(group, inspect.ismethod)
        if not method.startswith("_")
    }


SYNC, ASYNC = map(methods, CLIENTS)


def test_the_methods_are_the_operations_and_one_more_for_each_list() -> None:
    walks = {re.sub(r"\.list", ".iterate", row["name"]) for row in rows() if row.get("paged")}
    assert SYNC.keys() == {row["name"] for row in rows()} | walks


def test_both_clients_have_the_same_methods() -> None:
    assert SYNC.keys() == ASYNC.keys()


@pytest.mark.parametrize("name", SYNC)
def test_a_method_says_the_same_in_both_clients(name: str) -> None:
    sync, async_ = inspect.signature(SYNC[name]), inspect.signature(ASYNC[name])
    assert list(async_.parameters.values()) == list(sync.parameters.values())
    assert ">>>" in ASYNC[name].__doc__, "it has no example"
    if ".iterate" in name:
        assert (sync.return_annotation.__origin__, async_.return_annotation.__origin__) == (Items, AsyncItems)
    else:
        assert inspect.iscoroutinefunction(ASYNC[name])
        assert async_.return_annotation == sync.return_annotation


@pytest.mark.parametrize("name", SYNC)
def test_every_method_takes_the_settings_of_one_call(name: str) -> None:
    *_, last = inspect.signature(SYNC[name]).parameters.values()
    assert last.kind is last.VAR_KEYWORD
    # Where a field is required, overloads say for type checkers what there is.
    if last.annotation is not Any:
        (kind,) = last.annotation.__args__
        assert set(kind.__annotations__) >= OPTIONS


@pytest.mark.parametrize("method", [*SYNC.values(), *ASYNC.values()], ids=lambda method: method.__qualname__)
def test_a_method_can_be_validated(method: Any) -> None:
    assert validate_call(method)


@pytest.mark.parametrize(
    "function",
    [
        *SYNC.values(),
        *ASYNC.values(),
        *(
            method
            for kind in (ToriiClient, AsyncToriiClient, Items, AsyncItems, Pages, AsyncPages)
            for _, method in inspect.getmembers(kind, inspect.isroutine)
            if str(getattr(method, "__module__", None)).startswith("torii_backend")
        ),
        create_torii_client,
        require_auth,
        require_auth(issuer="https://acme.torii.so").__call__,
    ],
    ids=lambda method: method.__qualname__,
)
def test_annotations_can_be_evaluated(function: Any) -> None:
    hints = get_type_hints(function)
    assert "return" in hints
    assert not any(isinstance(hint, str) for hint in hints.values())


def test_a_validated_call_is_a_call(recorder: Recorder) -> None:
    torii = create_torii_client(secret_key="sk_test_parity", api_url=recorder.url)
    recorder.reply(200, user(1))
    called = validate_call(torii.users.get)(user(1)["id"], timeout=5)
    assert called.status == "active"
    with pytest.raises(ValidationError):
        validate_call(torii.users.get)(user(1)["id"], retries="perhaps")


@pytest.mark.parametrize(
    ("keywords", "model"),
    [
        (_fields.CreateUser, models.ToriiCreateUserInput),
        (_fields.UpdateUser, models.ToriiUpdateUserInput),
        (_fields.UpdateMetadata, models.ToriiUpdateMetadataInput),
        (_fields.UpdateUserMetadata, models.ToriiUpdateUserMetadataInput),
        (_fields.CreateInvitation, models.ToriiCreateInvitationInput),
        (_fields.CreateImpersonationToken, models.ToriiCreateImpersonationTokenInput),
        (_fields.UserSearch, inputs.UserFilter),
        (_fields.OrganizationSearch, inputs.OrganizationFilter),
        (_fields.InvitationSearch, inputs.InvitationFilter),
    ],
)
def test_the_keywords_of_a_method_are_the_fields_of_its_model(keywords: Any, model: Any) -> None:
    paging = {"limit", "cursor"} if issubclass(model, inputs.Filter) else set()
    assert set(keywords.__annotations__) == set(model.model_fields) | OPTIONS | paging


def test_a_search_spells_its_keywords_out() -> None:
    spelled = set(inspect.signature(SYNC["users.list"]).parameters) - {"options"}
    assert spelled == set(_fields.UserSearch.__annotations__) - OPTIONS


def test_clients_are_made_alike() -> None:
    made = inspect.signature(create_torii_client).parameters
    assert made == inspect.signature(ToriiClient).parameters
    assert made == inspect.signature(AsyncToriiClient).parameters
