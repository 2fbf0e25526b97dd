"""The contract's cases over real HTTP: every web adapter tells its clients the same."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conformance.runner import mismatches

APPS = sorted(path.stem for path in Path(__file__).parent.glob("conformance/apps/[a-z]*.py"))


def application_of(name: str) -> Any:
    """The application of an adapter. Where its framework is missing, an old interpreter can run the rest."""
    try:
        return import_module(f"conformance.apps.{name}")
    except ImportError as error:
        ours = (error.name or "").startswith(("torii_backend", "conformance"))
        if ours or os.environ.get("TORII_ADAPTERS") == "all":
            raise
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize("name", APPS)
def test_clients_are_told_what_the_contract_says(name: str) -> None:
    app = application_of(name)
    with app.served() as port:
        assert mismatches(port, app.ADAPTER) == []
