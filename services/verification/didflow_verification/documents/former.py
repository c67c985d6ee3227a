"""Encrypts and decrypts former revisions of identities and addresses, with the keys of documents (AES-256-GCM).

Each ciphertext is bound to the revision: to the id of the identity or address, the number of the revision, and the
account. It begins with a random salt, from which its own key is derived, so that no nonce is used twice with one key.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from didflow_verification.documents.errors import DecryptionError, KeyMissing
from didflow_verification.documents.keys import Keyring
from didflow_verification.domain.details.former import FormerDetails, revision_of
from didflow_verification.domain.details.identity import Address, Identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# ruff: noqa: PLC0415 - a worker loads the libraries for encryption with the first former details

SALT_BYTES: Final = 16
_NONCE: Final = bytes(12)
_PURPOSE: Final = b"didflow former details 1"


def encryption(keyring: Keyring | None) -> Callable[[FormerDetails], FormerDetails]:
    """Return the function that encrypts former details before they are saved. It raises KeyMissing without keys."""
    return partial(encrypted, keyring)


def encrypted(keyring: Keyring | None, former: FormerDetails) -> FormerDetails:
    """Return former details with their content encrypted under the current key. Raises KeyMissing."""
    if former.content is None or former.key_id is not None:
        return former
    if keyring is None:
        raise KeyMissing("no key for personal data is configured")
    salt = os.urandom(SALT_BYTES)
    key_id = keyring.current
    ciphertext = _aead(keyring.key(key_id), salt).encrypt(_NONCE, former.content, _bound(former))
    return replace(former, key_id=key_id, content=salt + ciphertext)


def decrypted(keyring: Keyring | None, former: FormerDetails) -> Identity | Address | None:
    """Return the revision, or None if it was erased. Raises KeyMissing, DecryptionError."""
    plain = _plain(keyring, former)
    return None if plain is None else revision_of(former, plain)


def encrypted_again(keyring: Keyring, former: FormerDetails) -> FormerDetails:
    """Return stored former details with their content under the current key. Raises KeyMissing, DecryptionError."""
    return encrypted(keyring, replace(former, key_id=None, content=_plain(keyring, former)))


def _plain(keyring: Keyring | None, former: FormerDetails) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    if former.content is None or former.key_id is None:
        return None
    if keyring is None:
        raise KeyMissing("no key for personal data is configured")
    salt, ciphertext = former.content[:SALT_BYTES], former.content[SALT_BYTES:]
    try:
        return _aead(keyring.key(former.key_id), salt).decrypt(_NONCE, ciphertext, _bound(former))
    except InvalidTag:
        raise DecryptionError(f"the former details {former.former_id} cannot be decrypted") from None


def _aead(key: bytes, salt: bytes) -> "AESGCM":
    from didflow_verification.documents.cipher import derived

    return derived(key, salt, _PURPOSE)


def _bound(former: FormerDetails) -> bytes:
    return former.detail_id.bytes + former.revision.to_bytes(8, "big") + former.account.encode()
