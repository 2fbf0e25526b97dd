"""Signing keys of our own, for tokens that no torii would sign."""

from __future__ import annotations

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

USER = "01931a73-8b00-7000-8000-000000000001"
ENVIRONMENT = "01931a73-8b00-7000-8000-0000000000e1"


class SigningKey:
    """An ES256 key under the name `kid`."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self._private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self) -> dict[str, Any]:
        """Its public half, as an issuer publishes it."""
        public = ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": "ES256"}

    def token(self, issuer: str, **claims: object) -> str:
        """A good token, but for what `claims` say; a claim of `None` is left out."""
        now = int(time.time())
        standard = {"iss": issuer, "sub": USER, "pid": ENVIRONMENT, "iat": now, "exp": now + 300}
        given = {name: value for name, value in {**standard, **claims}.items() if value is not None}
        return jwt.encode(given, self._private, algorithm="ES256", headers={"kid": self.kid})
