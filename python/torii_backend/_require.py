"""Guards: what a verified caller must be for a request to be let in."""

from __future__ import annotations

import json
from time import time

from torii_backend._native import Requirement
from torii_backend.errors import ToriiConfigError, ToriiDeniedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from torii_backend._auth import ToriiAuth


class FromPath:
    """The path parameter of a name: `FromPath("org_id")` for the route `/orgs/{org_id}`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = _text("FromPath", name)

    def __repr__(self) -> str:
        return f"FromPath({self.name!r})"


class Require:
    """What a verified caller must be. Every guard that is given has to agree; without any, all are let in.

    A caller that is not let in gets a 403 with the name of the first guard that does not agree, which is the
    argument's name here (`no_impersonation` for `impersonation=False`).

    Args:
        verified_email: An address of the user has been verified.
        complete_profile: The required profile fields are filled.
        organization: The session has switched to an organization: `True` for any, an id, or `FromPath` for the
            one whose id is in the path. A route without that path parameter is answered with 500.
        role: The user's role in that organization, such as `org:administrator`.
        claim: Values by claim. The claim is one of the values or, if it is a list, holds one of them. They are
            compared as JSON: `"1"` is not `1`.
        impersonation: `False` refuses somebody who acts in the user's place.
        max_age: The token was issued at most this many whole seconds ago.
        any_of: At least one of these `Require` is satisfied.
        predicate: Functions of your own by name. Each is given the `ToriiAuth`, and lets the caller in by
            returning `True`. Anything else that is falsy refuses; anything else, or an exception, is a 500.

    >>> from torii_backend import Require, ToriiAuth
    >>> admin = Require(organization=True, role="org:administrator", impersonation=False)
    >>> admin.check(ToriiAuth.for_tests(org_id="organization-1", org_role="org:administrator"))

    Raises:
        ToriiConfigError: An argument cannot be used; the message names it.

    """

    __slots__ = ("_any_of", "_native", "_predicates", "_timed", "_written")

    def __init__(
        self,
        *,
        verified_email: bool = False,
        complete_profile: bool = False,
        organization: bool | str | FromPath | None = None,
        role: str | None = None,
        claim: Mapping[str, Any] | None = None,
        impersonation: bool = True,
        max_age: int | None = None,
        any_of: Iterable[Require] | None = None,
        predicate: Mapping[str, Callable[[ToriiAuth], bool]] | None = None,
    ) -> None:
        guards: list[Any] = []
        if _flag("verified_email", verified_email):
            guards.append("verified_email")
        if _flag("complete_profile", complete_profile):
            guards.append("complete_profile")
        if organization is not None:
            guards.append(_organization(organization))
        if role is not None:
            guards.append({"role": _text("role", role)})
        guards += [
            {"claim": [_text("claim", name), _values(name, values)]} for name, values in (claim or {}).items()
        ]
        if not _flag("impersonation", impersonation):
            guards.append("no_impersonation")
        if max_age is not None:
            guards.append({"max_age": _seconds("max_age", max_age)})
        self._any_of = None if any_of is None else tuple(any_of)
        if not all(isinstance(each, Require) for each in self._any_of or ()):
            raise ToriiConfigError("any_of: must be a list of Require")
        self._predicates = tuple((predicate or {}).items())
        for name, function in self._predicates:
            if not callable(function):
                raise ToriiConfigError(f"predicate: {_text('predicate', name)} is not a function")
        self._timed = max_age is not None or any(each._timed for each in self._any_of or ())
        self._native = Requirement(json.dumps(guards)) if guards else None
        self._written = guards

    def check(
        self,
        auth: ToriiAuth,
        path: Mapping[str, Any] | None = None,
        *,
        now: Callable[[], float] = time,
    ) -> None:
        """Check a caller. `path` has the request's path parameters, `now` returns the time in Unix seconds.

        Raises:
            ToriiDeniedError: A guard does not agree.
            ToriiConfigError: The route lacks a path parameter that is compared, or a predicate is no predicate.

        """
        if self._native is not None:
            parameters = None if path is None else dict(path)
            self._native.check(auth, parameters, int(now()) if self._timed else 0)
        if self._any_of is not None:
            self._check_any(self._any_of, auth, path, now)
        for name, function in self._predicates:
            agrees = function(auth)
            if agrees is True:
                continue
            if agrees:
                raise ToriiConfigError(
                    f"predicate: {name} returned {type(agrees).__name__}, not True or False"
                )
            raise ToriiDeniedError.of(name)

    def _check_any(
        self,
        alternatives: tuple[Require, ...],
        auth: ToriiAuth,
        path: Mapping[str, Any] | None,
        now: Callable[[], float],
    ) -> None:
        mistake: Exception = ToriiDeniedError.of("any_of")
        for alternative in alternatives:
            try:
                return alternative.check(auth, path, now=now)
            except ToriiDeniedError:
                pass
            except ToriiConfigError as error:
                mistake = error
        raise mistake

    def __repr__(self) -> str:
        own = [{"any_of": list(self._any_of)}] if self._any_of is not None else []
        return f"Require({[*self._written, *own, *(name for name, _ in self._predicates)]})"


def _organization(organization: bool | str | FromPath) -> Any:
    if organization is True:
        return "any_organization"
    if isinstance(organization, FromPath):
        return {"organization_from_path": organization.name}
    return {"organization": _text("organization", organization)}


def _values(name: str, values: Any) -> list[Any]:
    several = list(values) if isinstance(values, (list, tuple, set, frozenset)) else [values]
    if not all(value is None or isinstance(value, (str, int, float, bool)) for value in several):
        raise ToriiConfigError(f"claim: the values of {name!r} must be text, numbers, booleans or None")
    return several


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ToriiConfigError(f"{argument}: must be text, and not empty")
    return value


def _flag(argument: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ToriiConfigError(f"{argument}: must be True or False")
    return value


def _seconds(argument: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ToriiConfigError(f"{argument}: must be a whole number of seconds, at least 0")
    return value
