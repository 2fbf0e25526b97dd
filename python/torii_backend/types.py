"""What verification brings: the classes of `ToriiAuth` and of what hangs on it."""

# ruff: noqa: FA100
# Annotations are types here and not text, because pydantic reads those of a dataclass.
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from torii_backend._auth import ToriiAuth

__all__ = ["ToriiActiveOrganization", "ToriiActor", "ToriiAuth", "ToriiKeyStatus", "ToriiVerifyCounts"]


@dataclass(frozen=True)
class ToriiActor:
    """Who acts in the user's place: the `act` claim of RFC 8693, section 4.1."""

    subject: Optional[str]
    """The actor's user id, where the claim names one as RFC 8693 says."""

    claim: Any
    """The claim as it came."""


@dataclass(frozen=True)
class ToriiActiveOrganization:
    """The organization that the user has switched to."""

    id: str

    role: Optional[str] = None
    """The user's role key there, such as `org:administrator`."""

    slug: Optional[str] = None


@dataclass(frozen=True)
class ToriiKeyStatus:
    """The state of a verifier's keys, for dashboards and readiness probes."""

    url: Optional[str]
    """Where the keys come from; `None` for keys that were given."""

    kids: tuple[str, ...]
    """The names of the usable keys."""

    age: Optional[float]
    """Seconds since the last successful fetch; `None` before the first, and for keys that were given."""

    generation: int
    """Grows with every change of the keys."""

    last_error: Optional[str]
    """Why the last fetch failed, if it did."""

    next_attempt_in: Optional[float]
    """Seconds for which no fetch will be made, after failures."""

    fetches_succeeded: int
    """Fetches that brought keys, or the news that they have not changed."""

    fetches_failed: int

    stale_served: int
    """Verifications with keys older than their time, because newer ones could not be had yet."""

    unknown_kids: int
    """Tokens refused because their key is not in the set."""


@dataclass(frozen=True)
class ToriiVerifyCounts:
    """How often a verifier has come to which conclusion."""

    accepted: int

    refused: Mapping[str, int]
    """Each code that has occurred, without the name of a claim, and how often."""


@dataclass(frozen=True)
class AuthFields:
    """The fields of `ToriiAuth`, which is a dataclass by these."""

    user_id: str
    environment_id: str
    issuer: str
    email_verified: bool
    profile_complete: bool
    impersonating: bool
    locale: Optional[str]
    raw: dict[str, Any]
