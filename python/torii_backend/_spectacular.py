"""drf-spectacular: how documents describe the authentication class. `ToriiConfig` loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from torii_backend._openapi import scheme

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

    from torii_backend.drf import ToriiAuthentication


class _Scheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "torii_backend.drf.ToriiAuthentication"
    match_subclasses = True
    name = "torii"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002
        target = cast("type[ToriiAuthentication]", self.target)  # pyright: ignore[reportUnknownMemberType]
        return scheme(target.gates().verifier.header)
