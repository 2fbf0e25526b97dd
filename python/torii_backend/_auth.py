"""`ToriiAuth`, the class of verified claims.

It is a frozen dataclass written by hand: verification must not load `dataclasses`, which takes longer to
import than everything else it needs. Whoever asks for `__dataclass_fields__` loads it.
"""

from __future__ import annotations

import sys

from torii_backend import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import Field
    from typing import Any, ClassVar, Generic, NoReturn, TypeVar

    from typing_extensions import Self
    from typing_extensions import TypeVar as WithDefault

    T = TypeVar("T")
    Claims = WithDefault("Claims", default=dict[str, Any])
else:

    class _Subscriptable:
        """What `typing.Generic` would be, without loading `typing`."""

        __slots__ = ()

        def __class_getitem__(cls, claims: object) -> object:
            from types import GenericAlias

            return GenericAlias(cls, claims)

    Claims, Generic = None, {None: _Subscriptable}
if sys.version_info >= (3, 10):
    # Without `typing`, which is loaded by whoever needs it.
    _LOCALE = str | None
else:
    from typing import Optional

    _LOCALE = Optional[str]


class _WithDict(_native.Auth):
    """Gives instances a `__dict__` and weak references."""


_DICT = _WithDict.__dict__["__dict__"]


class _FromDataclass:
    """An attribute of the dataclass that has the fields of `ToriiAuth`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        from torii_backend.types import AuthFields

        return getattr(AuthFields, self._name)


class ToriiAuth(_WithDict, Generic[Claims]):
    """The claims of a verified token.

    `verify_token` makes them. For a test, `for_tests` makes one from claims, and the constructor one from the
    fields. It is a frozen dataclass of these fields:

    Attributes:
        user_id: The end-user's id (`sub`).
        environment_id: The id of the environment that the user belongs to (`pid`).
        issuer: Who issued the token (`iss`): the configured issuer, as the token spells it.
        email_verified: Whether an address of the user has been verified. Only JSON `true` counts; absent is
            `False`.
        profile_complete: Whether the required profile fields are filled. Absent is `True`.
        impersonating: Whether somebody acts in the user's place: the claim is true, or there is an `act`.
        locale: The user's preferred locale, such as `en`, or `None`.
        raw: Every claim, as `json.loads` makes it of the payload that was signed, at the first access.

    `ToriiAuth[MyClaims]` is one whose `claims` are of a type of the application's own: see the web adapters.

    The other attributes do not follow changes of `raw`, except where the object was made from its fields.

    >>> from torii_backend import ToriiAuth
    >>> auth = ToriiAuth.for_tests("user-1", org_id="organization-1", org_role="org:administrator")
    >>> auth.organization.role
    'org:administrator'

    """

    if not TYPE_CHECKING:
        __annotations__ = {
            "user_id": str,
            "environment_id": str,
            "issuer": str,
            "email_verified": bool,
            "profile_complete": bool,
            "impersonating": bool,
            "locale": _LOCALE,
            "raw": dict[str, object],
        }
    # Beside the fields, which `__dict__` has.
    __slots__ = ("_claims",)
    __match_args__ = (
        "user_id",
        "environment_id",
        "issuer",
        "email_verified",
        "profile_complete",
        "impersonating",
        "locale",
        "raw",
    )
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _FromDataclass()
        __dataclass_params__ = _FromDataclass()

    def __init__(
        self,
        user_id: str,
        environment_id: str,
        issuer: str,
        email_verified: bool,
        profile_complete: bool,
        impersonating: bool,
        locale: str | None,
        raw: dict[str, Any],
    ) -> None:
        _DICT.__get__(self).update(
            user_id=user_id,
            environment_id=environment_id,
            issuer=issuer,
            email_verified=email_verified,
            profile_complete=profile_complete,
            impersonating=impersonating,
            locale=locale,
            raw=raw,
        )

    @classmethod
    def for_tests(cls, user_id: str = "user-1", **claims: Any) -> Self:
        """Make one from claims, without a token. Only for tests: nothing is verified.

        The claims `pid` and `iss` have defaults. The fields follow from the claims, as in verification.

        >>> ToriiAuth.for_tests("user-1", email_verified=True).email_verified
        True
        """
        raw = {"sub": user_id, "pid": "environment-1", "iss": "https://test.torii.so", **claims}
        return cls(
            user_id=raw["sub"],
            environment_id=raw["pid"],
            issuer=raw["iss"],
            email_verified=raw.get("email_verified") is True,
            profile_complete=raw.get("profile_complete", True) is not False,
            impersonating=raw.get("impersonating") is True or raw.get("act") is not None,
            locale=raw.get("locale"),
            raw=raw,
        )

    def has_role(self, role: str) -> bool:
        """Whether the user has this role, such as `org:administrator`, in the active organization."""
        active = self.organization
        return active is not None and active.role == role

    @property
    def claims(self) -> Claims:
        """The claims as the type that the web adapter was given, `claims=MyClaims`; `raw` without one.

        Copies and pickles keep them. What `dataclasses.replace` makes has `raw`, which it may have changed.
        """
        claims: Any = _CLAIMS.__get__(self) if _has_claims(self) else self.raw
        return claims  # type: ignore[no-any-return]

    def claims_as(self, model: type[T]) -> T:
        """Read the claims into a pydantic model, a dataclass, a `TypedDict` or a `msgspec.Struct`.

        Raises:
            ValueError: They do not have the shape of `model`.
            ToriiConfigError: Claims cannot be read into `model` at all.

        """
        from torii_backend._claims import reader

        read: Any = reader(model)
        claims: T = read(self)
        return claims

    if not TYPE_CHECKING:

        @property
        def __dict__(self) -> dict[str, Any]:
            fields = _DICT.__get__(self)
            if self._is_verified:
                for name in ToriiAuth.__match_args__:
                    if name not in fields:
                        fields[name] = getattr(self, name)
            return fields

        @__dict__.setter
        def __dict__(self, fields: dict[str, Any]) -> None:
            _DICT.__set__(self, fields)

        def __getattr__(self, name: str) -> NoReturn:
            # Without this method, msgspec encodes only what `__dict__` already holds.
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in ToriiAuth.__match_args__)
        return f"{type(self).__qualname__}({fields})"

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or _values(self) == _values(other)

    # `raw` is a dict.
    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise _frozen(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise _frozen(f"cannot delete field {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        import copyreg

        new: Any = vars(copyreg)["__newobj__"]
        state: Any = self.__dict__
        if _has_claims(self):
            state = state, self.claims
        return new, (type(self),), state

    def __setstate__(self, state: Any) -> None:
        fields: Any = state
        if type(fields) is not dict:
            fields, claims = state
            set_claims(self, claims)
        _DICT.__get__(self).update(fields)

    def __replace__(self, /, **changes: Any) -> Self:
        from dataclasses import replace

        return replace(self, **changes)


_CLAIMS: Any = ToriiAuth.__dict__["_claims"]


def set_claims(auth: ToriiAuth[Any], claims: object) -> None:
    """Give a caller the claims of the application's own type."""
    _CLAIMS.__set__(auth, claims)


def _has_claims(auth: ToriiAuth[Any]) -> bool:
    try:
        _CLAIMS.__get__(auth)
    except AttributeError:
        return False
    return True


def _values(auth: object) -> list[Any]:
    return [getattr(auth, name) for name in ToriiAuth.__match_args__]


def _frozen(problem: str) -> Exception:
    from dataclasses import FrozenInstanceError

    return FrozenInstanceError(problem)


# For pickles, and for whoever reads annotations: a module that is loaded, and that has it.
ToriiAuth.__module__ = "torii_backend"
_native.register(ToriiAuth)
