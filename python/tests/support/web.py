"""A client of web applications, without a network."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Starlette would rather have another HTTP client than the one that its older versions need.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

__all__ = ["TestClient"]
