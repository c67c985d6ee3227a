"""Documents as ciphertext: whose chunk it is, where it stands and that nothing follows are bound to it."""

import base64
from dataclasses import replace
from uuid import UUID

import pytest

from didflow_verification.documents.cipher import Cipher, Unopenable
from didflow_verification.documents.keys import KeyMissing, read_keys

CIPHER = Cipher(key=bytes(32), content_id=UUID(int=1), document_id=UUID(int=2), account="master/acme")
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def test_what_was_sealed_is_opened() -> None:
    """Byte for byte, and nothing of it can be seen in between."""
    sealed = CIPHER.seal(0, b"passport of Jane", last=True)
    assert b"Jane" not in sealed
    assert CIPHER.open(0, sealed, last=True) == b"passport of Jane"


@pytest.mark.parametrize(
    "other",
    [
        replace(CIPHER, key=bytes([1]) * 32),
        replace(CIPHER, content_id=UUID(int=9)),
        replace(CIPHER, document_id=UUID(int=9)),
        replace(CIPHER, account="master/globex"),
    ],
)
def test_a_chunk_opens_for_its_own_document_alone(other: Cipher) -> None:
    """Another key, content, document or account: it cannot be opened."""
    sealed = CIPHER.seal(0, b"x", last=True)
    with pytest.raises(Unopenable):
        other.open(0, sealed, last=True)


def test_chunks_cannot_be_moved_cut_off_or_altered() -> None:
    """Another place, an end where there was none, no end where there was one, a flipped bit."""
    sealed = CIPHER.seal(1, b"x", last=False)
    for place, content, last in (
        (0, sealed, False),
        (1, sealed, True),
        (1, sealed[:-1] + bytes([sealed[-1] ^ 1]), False),
        (1, b"", False),
    ):
        with pytest.raises(Unopenable):
            CIPHER.open(place, content, last=last)


def test_no_two_contents_are_sealed_alike() -> None:
    """The same bytes under the same key, for another content: nothing is shared."""
    other = replace(CIPHER, content_id=UUID(int=9))
    assert CIPHER.seal(0, b"same", last=True)[:4] != other.seal(0, b"same", last=True)[:4]


def test_several_keys_are_read_and_the_first_is_for_new_documents() -> None:
    """Separated by blanks, commas or lines; either alphabet of base64."""
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
def test_keys_that_cannot_be_keys_are_refused_without_showing_them(text: str) -> None:
    """Too short, without an id, twice the same id, none at all."""
    with pytest.raises(ValueError, match=r"id:base64") as refused:
        read_keys(text)
    assert OLD[:10] not in str(refused.value)
