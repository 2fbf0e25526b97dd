"""The sync client, the async client, the list of operations and the models say the same."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from support.contract import rows
from torii_backend import AsyncToriiClient, ToriiClient, _fields, create_torii_client, models
from torii_backend.models import inputs

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
    walks = ".iterate" in name
    assert inspect.iscoroutinefunction(ASYNC[name]) is not walks
    assert async_.return_annotation == ("Async" if walks else "") + sync.return_annotation


@pytest.mark.parametrize("name", SYNC)
def test_a_method_is_explained_once(name: str) -> None:
    assert ASYNC[name].__doc__ is SYNC[name].__doc__
    assert ">>>" in SYNC[name].__doc__, "it has no example"


@pytest.mark.parametrize("name", SYNC)
def test_every_method_takes_the_settings_of_one_call(name: str) -> None:
    *_, last = inspect.signature(SYNC[name]).parameters.values()
    assert last.kind is last.VAR_KEYWORD
    kind = getattr(_fields, re.fullmatch(r"Unpack\[(\w+)\]", last.annotation)[1])
    assert set(kind.__annotations__) >= OPTIONS


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
