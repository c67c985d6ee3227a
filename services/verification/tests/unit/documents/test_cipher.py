"""Encrypted chunks: each is bound to its document, its position, and whether it is the last one."""

import base64
from dataclasses import replace
from uuid import UUID

import pytest

from didflow_chassis.encryption import read_keys
from didflow_verification.documents.cipher import Cipher
from didflow_verification.documents.errors import DecryptionError, KeyMissing

CIPHER = Cipher(key=bytes(32), content_id=UUID(int=1), document_id=UUID(int=2), account="master/acme")
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def test_an_encrypted_chunk_can_be_decrypted() -> None:
    """The bytes are equal, and the ciphertext contains none of them."""
    ciphertext = CIPHER.encrypt(0, b"passport of Jane", last=True)
    assert b"Jane" not in ciphertext
    assert CIPHER.decrypt(0, ciphertext, last=True) == b"passport of Jane"


@pytest.mark.parametrize(
    "other",
    [
        replace(CIPHER, key=bytes([1]) * 32),
        replace(CIPHER, content_id=UUID(int=9)),
        replace(CIPHER, document_id=UUID(int=9)),
        replace(CIPHER, account="master/globex"),
    ],
)
def test_a_chunk_can_only_be_decrypted_for_its_own_document(other: Cipher) -> None:
    """With another key, content, document or account, decryption fails."""
    ciphertext = CIPHER.encrypt(0, b"x", last=True)
    with pytest.raises(DecryptionError):
        other.decrypt(0, ciphertext, last=True)


def test_chunks_cannot_be_moved_cut_off_or_altered() -> None:
    """Another position, a wrong end, a flipped bit and a missing chunk are detected."""
    ciphertext = CIPHER.encrypt(1, b"x", last=False)
    for position, content, last in (
        (0, ciphertext, False),
        (1, ciphertext, True),
        (1, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), False),
        (1, b"", False),
    ):
        with pytest.raises(DecryptionError):
            CIPHER.decrypt(position, content, last=last)


def test_equal_documents_have_different_ciphertexts() -> None:
    """The same bytes under the same configured key are encrypted differently for another content."""
    other = replace(CIPHER, content_id=UUID(int=9))
    assert CIPHER.encrypt(0, b"same", last=True)[:4] != other.encrypt(0, b"same", last=True)[:4]


def test_the_first_of_several_keys_is_for_new_documents() -> None:
    """Keys are separated by spaces, commas or line ends, in either alphabet of base64."""
    url = base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode()
    ring = read_keys(f"2026-11:{NEW}\n2025-01:{OLD}, web:{url}")
    assert (ring.current, ring.key("2025-01"), ring.key("web")) == (
        "2026-11",
        bytes([1]) * 32,
        b"\xfb\xff" * 16,
    )
    with pytest.raises(KeyMissing):
        ring.key("2024-01")
    assert OLD not in repr(ring)
    assert repr(bytes([2]) * 32) not in repr(ring)


@pytest.mark.parametrize(
    "text", ["", "k", "k:", f":{OLD}", f"k:{OLD[:-6]}", f"k:{OLD} k:{NEW}", f"a b:{OLD}"]
)
def test_invalid_keys_are_refused_without_showing_them(text: str) -> None:
    """A key that is too short, a missing id, a repeated id, and no key are refused."""
    with pytest.raises(ValueError, match=r"id:base64") as refused:
        read_keys(text)
    assert OLD[:10] not in str(refused.value)
