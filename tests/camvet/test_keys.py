"""Signing keys: made with their final modes, rotated without losing what was signed, never taken from strangers."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from camvet.context import UsageError
from camvet.keys import KeyStore
from rules import dsse

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def store(tmp_path):
    return KeyStore(tmp_path / "keys")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_key_signs_and_only_its_owner_can_read_it(store, tmp_path):
    made = store.init(NOW)
    assert made.signs
    assert store.list() == [made]
    assert made.id == dsse.key_id(store.signing().public_key())
    (private,), (public,) = (tmp_path / "keys").glob("*.pem"), (tmp_path / "keys").glob("*.pub")
    assert (mode(tmp_path / "keys"), mode(private), mode(public)) == (0o700, 0o600, 0o644)
    assert b"PRIVATE" not in public.read_bytes()


def test_rotation_signs_with_the_new_key_and_still_trusts_the_old(store):
    first = store.init(NOW)
    envelope = dsse.seal(b"{}", dsse.IN_TOTO, store.signing())
    second = store.rotate(LATER)
    assert [(key.id, key.signs) for key in store.list()] == [(first.id, False), (second.id, True)]
    assert dsse.key_id(store.signing().public_key()) == second.id
    assert dsse.open_envelope(json.dumps(envelope), dsse.IN_TOTO, store.trusted()).signed_by == (first.id,)


def test_a_second_first_key_and_a_rotation_of_nothing_are_refused(store):
    with pytest.raises(UsageError, match="keys init"):
        store.rotate(NOW)
    store.init(NOW)
    with pytest.raises(UsageError, match="rotate"):
        store.init(LATER)


def test_without_a_key_nothing_signs_and_nothing_is_trusted(store):
    assert store.list() == []
    assert store.trusted() == {}
    with pytest.raises(UsageError, match="no signing key"):
        store.signing()


def test_a_private_key_that_others_can_read_is_not_used(store, tmp_path):
    store.init(NOW)
    (private,) = (tmp_path / "keys").glob("*.pem")
    private.chmod(0o640)
    with pytest.raises(UsageError, match="can be read by others"):
        store.signing()


@pytest.mark.parametrize("ask", ["list", "signing", "trusted"])
def test_a_folder_that_others_can_write_to_is_trusted_for_nothing(store, tmp_path, ask):
    store.init(NOW)
    (tmp_path / "keys").chmod(0o770)
    with pytest.raises(UsageError, match="written to by others"):
        getattr(store, ask)()


@pytest.mark.parametrize(("suffix", "ask"), [("pem", "signing"), ("pub", "trusted")])
@pytest.mark.parametrize("content", [
    b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
])
def test_a_broken_key_file_is_one_line(store, tmp_path, suffix, ask, content):
    store.init(NOW)
    (path,) = (tmp_path / "keys").glob(f"*.{suffix}")
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        getattr(store, ask)()
    assert "\n" not in str(caught.value)


def test_a_key_of_another_kind_neither_signs_nor_counts(store, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    store.init(NOW)
    other = generate_private_key(SECP256R1())
    (private,), (public,) = (tmp_path / "keys").glob("*.pem"), (tmp_path / "keys").glob("*.pub")
    private.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert store.trusted() == {}
    with pytest.raises(UsageError, match="not an Ed25519 key"):
        store.signing()


def test_a_key_with_a_passphrase_is_one_line(store, tmp_path):
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    store.init(NOW)
    (private,) = (tmp_path / "keys").glob("*.pem")
    private.write_bytes(store.signing().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    with pytest.raises(UsageError, match="not a readable private key"):
        store.signing()


def test_a_public_half_without_a_private_one_does_not_sign(store, tmp_path):
    """As after a crash between both files: `init` may be run again."""
    store.init(NOW)
    (private,) = (tmp_path / "keys").glob("*.pem")
    private.unlink()
    assert [key.signs for key in store.list()] == [False]
    assert store.init(LATER).signs
