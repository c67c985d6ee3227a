"""Encrypts documents chunk by chunk with AES-256-GCM. Each ciphertext is bound to its document.

Each content has its own key, derived from a configured key, so that no nonce is used twice with one key.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from didflow_chassis.encryption import derived
from didflow_verification.documents.errors import DecryptionError

CHUNK: Final = 1024 * 1024
"""The size of every chunk but the last, in bytes before encryption."""

_PURPOSE = b"didflow document content 1"


@dataclass(frozen=True, kw_only=True)
class Cipher:
    """Encrypts and decrypts the chunks of one content of a document of an account, under a configured key."""

    key: bytes = field(repr=False)
    content_id: UUID
    document_id: UUID
    account: str

    @cached_property
    def _aead(self) -> AESGCM:
        return derived(self.key, self.content_id.bytes, _PURPOSE)

    def encrypt(self, position: int, chunk: bytes, *, last: bool) -> bytes:
        """Encrypt the chunk at a position, counted from 0."""
        return self._aead.encrypt(_nonce(position), chunk, self._bound(last=last))

    def decrypt(self, position: int, ciphertext: bytes, *, last: bool) -> bytes:
        """Decrypt a chunk. Raises DecryptionError unless it was encrypted at this position of this document."""
        try:
            return self._aead.decrypt(_nonce(position), ciphertext, self._bound(last=last))
        except InvalidTag:
            raise DecryptionError(
                f"chunk {position} of document {self.document_id} cannot be decrypted"
            ) from None

    def _bound(self, *, last: bool) -> bytes:
        """Return what the ciphertext is bound to besides key and position: the document, and whether it is last."""
        return self.document_id.bytes + bytes([last]) + self.account.encode()


def _nonce(position: int) -> bytes:
    return position.to_bytes(12, "big")
