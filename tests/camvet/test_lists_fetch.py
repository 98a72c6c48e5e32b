"""Fetching a bundle: HTTPS and nothing else, no redirect, no endless answer; against a server on the loopback."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from camvet import lists
from camvet.context import UsageError


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        self.wfile.write(b"x" * (100 if self.path == "/long" else 10))

    def log_message(self, *_words):
        """Say nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    answers = HTTPServer(("127.0.0.1", 0), Answers)
    answers.socket = context.wrap_socket(answers.socket, server_side=True)
    threading.Thread(target=answers.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{answers.server_port}", ssl.create_default_context(cafile=folder / "cert.pem")
    answers.shutdown()
    answers.server_close()


def test_a_file_is_fetched(server):
    where, tls = server
    assert lists.fetch(f"{where}/bundle", tls=tls) == b"x" * 10


@pytest.mark.parametrize(("path", "told"), [("/moved", "HTTP 302|redirect"), ("/missing", "HTTP 404|404")])
def test_only_the_file_itself_will_do(server, path, told):
    where, tls = server
    with pytest.raises(UsageError, match=told):
        lists.fetch(where + path, tls=tls)


def test_an_endless_answer_is_refused(server, monkeypatch):
    where, tls = server
    monkeypatch.setattr(lists, "MOST_DOWNLOAD", 50)
    with pytest.raises(UsageError, match="more than"):
        lists.fetch(f"{where}/long", tls=tls)


def test_a_server_that_nobody_vouches_for_is_refused(server):
    with pytest.raises(UsageError, match="CERTIFICATE_VERIFY_FAILED"):
        lists.fetch(f"{server[0]}/bundle")
