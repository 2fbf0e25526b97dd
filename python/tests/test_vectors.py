"""Published vectors: Project Wycheproof (Apache-2.0, https://github.com/C2SP/wycheproof), and RFC 7515's.

Wycheproof's files are read from `../shared/vectors` beside the checkout, or from `WYCHEPROOF_VECTORS`.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.emulator import REPOSITORY
from torii_backend import ToriiAuthError
from torii_backend._testing import verify_es256, verify_jws

if TYPE_CHECKING:
    from collections.abc import Iterator


def vectors(name: str) -> Any:
    path = Path(os.environ.get("WYCHEPROOF_VECTORS") or REPOSITORY / "../shared/vectors") / name
    if not path.is_file():
        pytest.skip(f"{name} is not at hand: WYCHEPROOF_VECTORS names its folder")
    return json.loads(path.read_text())


def published(file: Any) -> Iterator[tuple[Any, Any]]:
    for group in file["testGroups"]:
        for test in group["tests"]:
            yield group, test


def coordinate(integer: str) -> bytes:
    """32 bytes: the vectors write integers, with a sign byte or without leading zeros."""
    return int(integer, 16).to_bytes(32, "big")


def base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_every_p1363_signature_of_wycheproof_is_judged_as_published() -> None:
    file = vectors("ecdsa_secp256r1_sha256_p1363_test.json")
    tried = 0
    for group, test in published(file):
        x, y = (coordinate(group["publicKey"][name]) for name in ("wx", "wy"))
        valid = verify_es256(x, y, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        assert valid == (test["result"] == "valid"), test
        tried += 1
    assert tried == file["numberOfTests"]


@pytest.mark.parametrize(
    ("name", "acceptable"),
    [("json_web_signature_test.json", 2), ("json_web_crypto_test.json", 1), ("json_web_key_test.json", 0)],
)
def test_every_jws_of_wycheproof_is_refused_unless_it_is_a_valid_es256_one(
    name: str, acceptable: int
) -> None:
    accepted = 0
    for group, test in published(vectors(name)):
        key = group.get("public") or group.get("private")
        if not isinstance(key, dict) or not isinstance(test.get("jws"), str):
            continue
        jwks = json.dumps(key if "keys" in key else {"keys": [key]})
        # What is valid and not ES256 is refused all the same; nothing that is invalid may pass.
        es256 = key.get("kty") == "EC" and key.get("crv") == "P-256"
        expected = es256 and test["result"] == "valid" and "?" not in test["jws"]
        try:
            verify_jws(test["jws"], jwks)
            verified = True
        except ToriiAuthError:
            verified = False
        assert verified == expected, test
        accepted += expected
    assert accepted == acceptable


def test_the_es256_example_of_rfc_7515_verifies() -> None:
    """Appendix A.3. Its header names no key, so the signature alone is verified."""
    message = (
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        b"Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    assert verify_es256(base64url(x), base64url(y), message, base64url(signature))
    assert not verify_es256(base64url(x), base64url(y), message[1:], base64url(signature))
    jwks = json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y}]})
    with pytest.raises(ToriiAuthError) as refused:
        verify_jws(f"{message.decode()}.{signature}", jwks)
    assert refused.value.code == "kid_missing"
