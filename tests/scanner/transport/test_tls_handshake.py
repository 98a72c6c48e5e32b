import asyncio
import ssl
from datetime import timedelta

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
