"""The contract's two issuers, as https servers behind a proxy, to fetch keys from."""

from __future__ import annotations

import datetime
import socketserver
import ssl
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from torii_backend import Verifier

from conformance.runner import CONTRACT, TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = {TOKENS["issuer"]: "keys.json", TOKENS["other_issuer"]: "other-keys.json"}


class Issuers:
    """The servers. They run until the process ends."""

    def __init__(self) -> None:
        self._certificates = Path(tempfile.mkdtemp()) / "issuers.pem"
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _certify([_host(issuer) for issuer in KEYS], self._certificates)
        tls.load_cert_chain(self._certificates)

        class Tunnel(socketserver.StreamRequestHandler):
            """`CONNECT host:443`, and then the host itself."""

            def handle(self) -> None:
                host = _head(self.rfile).split()[1].rpartition(":")[0]
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                with (
                    tls.wrap_socket(self.connection, server_side=True) as inside,
                    inside.makefile("rb") as asked,
                ):
                    _head(asked)
                    keys = (CONTRACT / KEYS[f"https://{host}"]).read_bytes()
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(keys)}\r\nConnection: close\r\n\r\n"
                    inside.sendall(head.encode() + keys)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def verifier(self, clock: Callable[[], float]) -> Verifier:
        """Return a verifier that accepts both."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        return Verifier(list(KEYS), proxy=proxy, ca_file=self._certificates, clock=clock)


def _host(issuer: str) -> str:
    return issuer.partition("://")[2]


def _head(lines: object) -> str:
    first, *_ = [line.decode() for line in iter(lines.readline, b"\r\n")]  # type: ignore[attr-defined]
    return first


def _certify(hosts: list[str], file: Path) -> None:
    """Write a key and a certificate of these hosts, which vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - day, now + day
        )
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
