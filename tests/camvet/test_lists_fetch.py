"""Fetching a bundle: HTTPS and nothing else, no redirect, no endless answer; against a server on the loopback."""

import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from camvet import lists
from camvet.cli import main
from camvet.context import UsageError
from rules import bundle


class Answers(BaseHTTPRequestHandler):
    files: ClassVar = {}

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        if self.path in self.files:
            self.wfile.write(self.files[self.path])
            return
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
    yield f"https://127.0.0.1:{answers.server_port}", (
        ssl.create_default_context(cafile=folder / "cert.pem")), folder / "cert.pem"
    Answers.files = {}
    answers.shutdown()
    answers.server_close()


def test_a_file_is_fetched(server):
    where, tls, _ = server
    assert lists.fetch(f"{where}/bundle", tls=tls) == b"x" * 10


@pytest.mark.parametrize(("path", "told"), [("/moved", "HTTP 302|redirect"), ("/missing", "HTTP 404|404")])
def test_only_the_file_itself_will_do(server, path, told):
    where, tls, _ = server
    with pytest.raises(UsageError, match=told):
        lists.fetch(where + path, tls=tls)


def test_an_endless_answer_is_refused(server, monkeypatch):
    where, tls, _ = server
    monkeypatch.setattr(lists, "MOST_DOWNLOAD", 50)
    with pytest.raises(UsageError, match="more than"):
        lists.fetch(f"{where}/long", tls=tls)


def test_a_server_that_nobody_vouches_for_is_refused(server):
    with pytest.raises(UsageError, match="CERTIFICATE_VERIFY_FAILED"):
        lists.fetch(f"{server[0]}/bundle")


def said(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    return end.value.code, out, err


@pytest.fixture
def publisher(server, tmp_path, monkeypatch, capsys):
    """Bundles 1 and 2 of somebody else at an https address, and an installation that trusts his certificate."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "publisher"))
    assert said(capsys, "keys", "init")[0] == 0
    for number in (1, 2):
        assert said(capsys, "lists", "sign", "--out", tmp_path / f"{number}.bundle")[0] == 0
        Answers.files[f"/{number}.bundle"] = (tmp_path / f"{number}.bundle").read_bytes()
    key = next((tmp_path / "publisher").glob("**/*.pub"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "site"))
    monkeypatch.setenv("SSL_CERT_FILE", str(server[2]))
    yield server[0], key
    bundle.use(None)


def installed(capsys):
    return json.loads(said(capsys, "--json", "lists", "show")[1])["bundle"]


def test_a_bundle_is_installed_from_its_address_and_only_forward(publisher, capsys):
    where, key = publisher
    code, out, _ = said(capsys, "--json", "lists", "update", f"{where}/2.bundle", "--key", key)
    assert (code, json.loads(out)["number"]) == (0, 2)
    for older in (1, 2):                                        # an older one, and the same one replayed
        code, _, err = said(capsys, "lists", "update", f"{where}/{older}.bundle", "--key", key)
        assert (code, "bundle.older" in err) == (2, True)
    assert installed(capsys)["number"] == 2


def altered(data):
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("spoil", [lambda data: data[:-100], lambda data: data[:1000], lambda data: b"", altered,
                                   lambda data: b"<html>moved</html>"],
                         ids=["cut off at the end", "cut off early", "empty", "altered", "a page"])
def test_what_arrives_broken_is_refused_and_leaves_all_as_it_was(publisher, capsys, spoil):
    where, key = publisher
    Answers.files["/bad.bundle"] = spoil(Answers.files["/2.bundle"])
    for verb in ("verify", "update"):
        code, out, err = said(capsys, "lists", verb, f"{where}/bad.bundle", "--key", key)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert "bundle." in err
    assert installed(capsys) is None


def test_a_key_that_nobody_named_and_plain_http_are_refused(publisher, capsys):
    where, key = publisher
    code, _, err = said(capsys, "lists", "update", f"{where}/2.bundle")
    assert (code, "bundle.signature" in err) == (2, True)
    code, _, err = said(capsys, "lists", "update", f"{where}/2.bundle".replace("https", "http"), "--key", key)
    assert (code, "expected a file or an https:// address" in err) == (2, True)
    assert installed(capsys) is None


def test_a_server_of_another_authority_is_refused_from_the_command_line(publisher, capsys, monkeypatch):
    where, key = publisher
    monkeypatch.delenv("SSL_CERT_FILE")
    code, _, err = said(capsys, "lists", "update", f"{where}/2.bundle", "--key", key)
    assert (code, "CERTIFICATE_VERIFY_FAILED" in err) == (2, True)
