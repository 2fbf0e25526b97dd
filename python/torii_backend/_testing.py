"""Parts of verification by themselves: for published test vectors, and for tests that travel in time.

Private, and no way to decide who somebody is: what is checked here is far less than what a `Verifier` checks.
"""

from __future__ import annotations

from torii_backend._native import ManualClock, verify_es256, verify_jws

__all__ = ["ManualClock", "verify_es256", "verify_jws"]
