"""The security scheme of OpenAPI documents."""

from __future__ import annotations


def scheme(header: str) -> dict[str, str]:
    """Describe tokens that come in a header."""
    if header == "authorization":
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of torii."}
    # OpenAPI knows no other place for bearer tokens.
    return {"type": "apiKey", "name": header, "in": "header", "description": "`Bearer` and a token of torii."}
