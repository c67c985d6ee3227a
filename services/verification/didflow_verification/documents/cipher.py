"""Documents as ciphertext: AES-256-GCM, chunk by chunk, bound to the document that they belong to.

Each content has a key of its own, derived from a configured one, so that no nonce is ever used twice.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK: Final = 1024 * 1024
"""Bytes in clear of every chunk but the last."""

_PURPOSE = b"didflow document content 1"


class Unopenable(Exception):
    """A chunk is not what was sealed for this document: another key, another place, or altered."""

    code = "document_unopenable"


@dataclass(frozen=True, kw_only=True)
class Cipher:
    """Seals and opens the chunks of one content of a document of an account, under a configured key."""

    key: bytes = field(repr=False)
    content_id: UUID
    document_id: UUID
    account: str

    @cached_property
    def _aead(self) -> AESGCM:
        derive = HKDF(algorithm=SHA256(), length=32, salt=self.content_id.bytes, info=_PURPOSE)
        return AESGCM(derive.derive(self.key))

    def seal(self, place: int, clear: bytes, *, last: bool) -> bytes:
        """Encrypt the chunk that stands at a place, counted from 0."""
        return self._aead.encrypt(_nonce(place), clear, self._bound(last=last))

    def open(self, place: int, sealed: bytes, *, last: bool) -> bytes:
        """Decrypt a chunk. Raises Unopenable unless it was sealed at this very place of this very document."""
        try:
            return self._aead.decrypt(_nonce(place), sealed, self._bound(last=last))
        except InvalidTag:
            raise Unopenable(f"chunk {place} of document {self.document_id} cannot be opened") from None

    def _bound(self, *, last: bool) -> bytes:
        """What the ciphertext is bound to besides its key and place: whose it is, and that nothing follows."""
        return self.document_id.bytes + bytes([last]) + self.account.encode()


def _nonce(place: int) -> bytes:
    return place.to_bytes(12, "big")
