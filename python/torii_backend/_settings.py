"""The settings of web adapters in capitals, as frameworks keep their configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torii_backend._gate import Gate
from torii_backend.errors import ToriiConfigError
from torii_backend.verify import Verifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from typing_extensions import TypedDict

    from torii_backend import Require
    from torii_backend._gate import OnRefused

    class Options(TypedDict, total=False):
        """The settings of a `Gate` beside those of its verifier."""

        optional: bool
        require: Require | None
        claims: type[Any] | None
        on_refused: OnRefused | None
        allow_preflight: bool


VERIFIER: frozenset[str] = frozenset({"issuer", "verifier", *(Verifier.__init__.__kwdefaults__ or {})})
"""The settings of a verifier, and one in their place."""
NAMES: frozenset[str] = VERIFIER | frozenset[str](Gate.__init__.__kwdefaults__ or {})
"""All that a `Gate` can be told."""


def in_small(given: Mapping[str, Any], names: Collection[str], written: str) -> dict[str, Any]:
    """Turn settings in capitals into keywords. `written` is how a message writes one, with `{}` for its name.

    Raises:
        ToriiConfigError: There is no such setting. A misspelt one must not be passed over.

    """
    for name in given:
        if not name.isupper() or name.lower() not in names:
            raise ToriiConfigError(f"{written.format(name)}: there is no such setting")
    return {name.lower(): value for name, value in given.items()}


def verifier_of(settings: dict[str, Any]) -> Verifier:
    """Take the settings of a verifier out of `settings`, and make it.

    Raises:
        ToriiConfigError: A setting cannot be used.

    """
    own: Any = {name: settings.pop(name) for name in [*settings] if name in VERIFIER}
    return Gate(**own).verifier
