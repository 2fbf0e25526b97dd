"""Origins that may use the client API beyond those of the dashboard."""

from collections.abc import Iterable

from typing_extensions import Unpack

from torii_backend._calls import origins_request
from torii_backend._fields import CallOptions
from torii_backend._groups import AsyncGroup
from torii_backend._native import Request
from torii_backend.models.replies import ToriiAllowedOrigins


class AsyncAllowedOriginsClient(AsyncGroup):
    """Origins that may use the client API beyond the dashboard's: `AsyncToriiClient.allowed_origins`."""

    async def list(self, **options: Unpack[CallOptions]) -> ToriiAllowedOrigins:
        """Return all of the environment's allowed origins.

        >>> (await torii.allowed_origins.list()).origins
        []
        """
        return await self._call(ToriiAllowedOrigins, Request("allowed_origins.list", **options))

    async def set(self, origins: Iterable[str], **options: Unpack[CallOptions]) -> ToriiAllowedOrigins:
        """Replace the list: an origin that is not named is no longer allowed.

        Each is a scheme, a host and perhaps a port, such as `https://app.example.com`.

        >>> (await torii.allowed_origins.set(["capacitor://localhost"])).origins
        ['capacitor://localhost']
        """
        return await self._call(
            ToriiAllowedOrigins, origins_request("allowed_origins.set", origins, **options)
        )
