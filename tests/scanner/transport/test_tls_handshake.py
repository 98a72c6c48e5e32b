import asyncio
import ssl
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hostile_servers import tcp_server

from scanner import clock
from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, PortMap
from scanner.transport.tls import context, handshake

sys.path.insert(0, str(Path(__file__).parents[1] / "wire"))
from device_certificates import make


def server_context(tmp_path, key, *, oldest=None, newest=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab camera")])
    now = clock.now()
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(7).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
                   .sign(key, hashes.SHA256()))
    path = tmp_path / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.load_cert_chain(path)
    if oldest:
        made.minimum_version = oldest
    if newest:
        made.maximum_version = newest
    return made


async def hold(reader, _writer):
    await reader.read()


def shake(server, *, legacy):
    async def scene():
        async with tcp_server(hold, tls=server) as port:
            return await handshake("127.0.0.1", 443, PortMap({443: port}), 3, legacy=legacy)
    return asyncio.run(scene())


def test_a_modern_handshake_shows_the_certificate(tmp_path):
    shown = shake(server_context(tmp_path, ec.generate_private_key(ec.SECP256R1())), legacy=False)
    assert shown.version in ("TLSv1.2", "TLSv1.3")
    assert x509.load_der_x509_certificate(shown.certificate).serial_number == 7
    assert not shown.legacy


def test_old_firmware_is_seen_by_the_legacy_context_only(tmp_path):
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old = server_context(tmp_path, rsa.generate_private_key(65537, 1024), oldest=ssl.TLSVersion.TLSv1,
                             newest=ssl.TLSVersion.TLSv1)
    with pytest.raises(ExchangeError) as caught:
        shake(old, legacy=False)
    assert caught.value.reason in (Reason.TLS_FAILED, Reason.RESET)
    shown = shake(old, legacy=True)
    assert (shown.version, shown.legacy) == ("TLSv1", True)


def test_a_port_that_speaks_no_tls_is_said_to():
    async def plain(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(5)

    with pytest.raises(ExchangeError) as caught:
        shake_plain(plain)
    assert caught.value.reason is Reason.TLS_FAILED


def shake_plain(handler):
    async def scene():
        async with tcp_server(handler) as port:
            return await handshake("127.0.0.1", 443, PortMap({443: port}), 3, legacy=False)
    return asyncio.run(scene())


def test_a_silent_port_is_a_timeout():
    async def mute(_reader, _writer):
        await asyncio.sleep(30)

    async def scene():
        async with tcp_server(mute) as port:
            return await handshake("127.0.0.1", 443, PortMap({443: port}), 0.3, legacy=False)

    with pytest.raises(ExchangeError) as caught:
        asyncio.run(scene())
    assert caught.value.reason is Reason.TIMEOUT


def test_no_context_trusts_or_checks_and_only_the_legacy_one_is_weak():
    assert context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert context(legacy=True).minimum_version == ssl.TLSVersion.TLSv1
    assert context() is context()


# ---- whose key is it -------------------------------------------------------------------------------------------------

def test_every_certificate_that_was_sent_is_kept_its_own_first(tmp_path):
    root = make("root", clock.now(), authority=True)
    own = make("camera", clock.now(), signed_by=root, serial="S-1")
    path = tmp_path / "chain.pem"
    path.write_bytes(own.key_pem + own.pem + root.pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    assert shake(server, legacy=False).chain == (own.der, root.der)


def vector(data, size):
    return len(data).to_bytes(size, "big") + data


def message(kind, body):
    return bytes([kind]) + vector(body, 3)


def impostor(stolen, key):
    """A TLS 1.2 server that shows the certificates `stolen` and signs the exchange with `key` (RFC 5246, RFC 8422)."""
    async def handler(reader, writer):
        hello = await reader.readexactly(int.from_bytes((await reader.readexactly(5))[3:], "big"))
        client_random, server_random = hello[6:38], bytes(32)
        point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        share = b"\x03\x00\x17" + vector(point, 1)                                       # named curve secp256r1
        proof = key.sign(client_random + server_random + share, ec.ECDSA(hashes.SHA256()))
        chosen = b"\xc0\x2b\x00" + vector(b"\xff\x01\x00\x01\x00", 2)                   # ECDHE-ECDSA-AES128-GCM-SHA256
        flight = (message(2, b"\x03\x03" + server_random + b"\x00" + chosen)
                  + message(11, vector(b"".join(vector(one, 3) for one in stolen), 3))
                  + message(12, share + b"\x04\x03" + vector(proof, 2)) + message(14, b""))
        writer.write(b"\x16\x03\x03" + vector(flight, 2))
        await writer.drain()
        heard.extend((await reader.read(5))[:1])
        await reader.read()

    heard = []
    return handler, heard


@pytest.mark.parametrize("legacy", [False, True])
def test_who_shows_a_certificate_without_its_key_finishes_no_handshake(legacy):
    root = make("root", clock.now(), authority=True)
    own = make("camera", clock.now(), signed_by=root, serial="S-1")
    # With the true key the client sends its own share (content type 22); without it, nothing more.
    for key, went_on, reason in ((root.key, [], Reason.TLS_FAILED), (own.key, [22], Reason.TIMEOUT)):
        handler, heard = impostor((own.der, root.der), key)

        async def scene(handler=handler):
            async with tcp_server(handler) as port:
                return await handshake("127.0.0.1", 443, PortMap({443: port}), 0.5, legacy=legacy)

        with pytest.raises(ExchangeError) as caught:
            asyncio.run(scene())
        assert heard == went_on
        assert caught.value.reason is reason
