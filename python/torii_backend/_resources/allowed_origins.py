"""Origins that may use the client API beyond those of the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torii_backend._calls import origins_request
from torii_backend._groups import AsyncGroup, Group, documented_by
from torii_backend._native import Request
from torii_backend.models.replies import ToriiAllowedOrigins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Unpack

    from torii_backend._fields import CallOptions


class AllowedOriginsClient(Group):
    """Origins that may use the client API beyond those of the dashboard: `ToriiClient.allowed_origins`."""

    def list(self, **options: Unpack[CallOptions]) -> ToriiAllowedOrigins:
        """Return all of the environment's allowed origins.

        >>> torii.allowed_origins.list().origins
        []
        """
        return self._call(ToriiAllowedOrigins, Request("allowed_origins.list", **options))

    def set(self, origins: Iterable[str], **options: Unpack[CallOptions]) -> ToriiAllowedOrigins:
        """Replace the list: an origin that is not named is no longer allowed.

        Each is a scheme, a host and perhaps a port, such as `https://app.example.com`.

        >>> torii.allowed_origins.set(["capacitor://localhost"]).origins
        ['capacitor://localhost']
        """
        return self._call(ToriiAllowedOrigins, origins_request("allowed_origins.set", origins, **options))


@documented_by(AllowedOriginsClient)
class AsyncAllowedOriginsClient(AsyncGroup):
    """`AllowedOriginsClient` for coroutines: `AsyncToriiClient.allowed_origins`."""

    async def list(self, **options: Unpack[CallOptions]) -> ToriiAllowedOrigins:
        return await self._call(ToriiAllowedOrigins, Request("allowed_origins.list", **options))

    async def set(self, origins: Iterable[str], **options: Unpack[CallOptions]) -> ToriiAllowedOrigins:
        return await self._call(
            ToriiAllowedOrigins, origins_request("allowed_origins.set", origins, **options)
        )
