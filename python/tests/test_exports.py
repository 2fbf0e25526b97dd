"""What the package offers under which name, and that it says what each name is."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torii_backend

if TYPE_CHECKING:
    from types import ModuleType

MODULES = [
    "aio",
    "aiohttp",
    "asgi",
    "client",
    "errors",
    "fastapi",
    "litestar",
    "models",
    "starlette",
    "types",
    "verify",
]


def test_the_package_offers_what_it_lists_and_nothing_else() -> None:
    assert len(torii_backend.__all__) == len(set(torii_backend.__all__))
    assert set(torii_backend.__all__) <= set(dir(torii_backend))
    everything: dict[str, object] = {}
    exec("from torii_backend import *", everything)
    assert set(torii_backend.__all__) <= everything.keys()
    with pytest.raises(AttributeError, match="torii_backend"):
        _ = torii_backend.no_such_name


@pytest.mark.parametrize("module", ["aio", "client", "models", "types"])
def test_a_module_is_an_attribute_before_it_is_imported(module: str) -> None:
    program = f"import torii_backend; print(torii_backend.{module}.__name__)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"torii_backend.{module}"


def test_the_version_is_the_installed_packages() -> None:
    assert torii_backend.__version__ == importlib.metadata.version("torii-backend")


def test_the_package_is_typed() -> None:
    folder = Path(torii_backend.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "_native.pyi").is_file()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_lists_what_it_offers(module: str) -> None:
    found = importlib.import_module(f"torii_backend.{module}")
    assert found.__doc__
    assert public(found)
    for name in public(found):
        assert hasattr(found, name), name


@pytest.mark.parametrize("module", ["torii_backend", *(f"torii_backend.{module}" for module in MODULES)])
def test_every_public_name_is_documented(module: str) -> None:
    undocumented = []
    for name in public(importlib.import_module(module)):
        value = getattr(importlib.import_module(module), name)
        if inspect.isclass(value) or inspect.isroutine(value):
            if not documented(value):
                undocumented.append(name)
            members = vars(value).items() if inspect.isclass(value) else ()
            undocumented += [
                f"{name}.{member}"
                for member, method in members
                if not member.startswith("_") and inspect.isroutine(method) and not inspect.getdoc(method)
            ]
    assert undocumented == []


def public(module: ModuleType) -> list[str]:
    """What a module lists or, where it lists nothing, what it defines."""
    defined = (
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    )
    return getattr(module, "__all__", None) or [name for name in defined if not name.startswith("_")]


def documented(value: object) -> bool:
    """Whether it has a docstring of its own; a class inherits none."""
    return bool(inspect.getdoc(value)) and not (
        inspect.isclass(value) and value.__doc__ in {base.__doc__ for base in value.__mro__[1:]}
    )


def test_a_name_has_one_home() -> None:
    """What the package re-exports is the module's own, so that `except` and `isinstance` agree."""
    for module in MODULES:
        found = importlib.import_module(f"torii_backend.{module}")
        for name in set(public(found)) & set(torii_backend.__all__):
            assert getattr(found, name) is getattr(torii_backend, name), name


def test_errors_travel_between_processes() -> None:
    for name in public(torii_backend.errors):
        kind = getattr(torii_backend.errors, name)
        needed = inspect.signature(kind).parameters
        arguments: dict[str, Any] = {"status": 418, "body": {"code": "teapot"}} if "status" in needed else {}
        if "guard" in needed:
            arguments["guard"] = "role"
        error = kind("why", **arguments)
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back), vars(back)) == (kind, "why", vars(error))
