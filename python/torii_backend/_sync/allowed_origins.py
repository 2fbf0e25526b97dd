# Made by scripts/sync-client from _async/allowed_origins.py. Change that file, and run the script.
"""Origins that may use the client API beyond those of the dashboard."""

from collections.abc import Iterable

from typing_extensions import Unpack

from torii_backend._calls import origins_request
from torii_backend._fields import CallOptions
from torii_backend._groups import Group
from torii_backend._native import Request
from torii_backend.models.replies import ToriiAllowedOrigins


class AllowedOriginsClient(Group):
    """Origins that may use the client API beyond the dashboard's: `ToriiClient.allowed_origins`."""

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
