"""What services encrypt at rest (AES-256-GCM), and the keys for it. There can be several keys; the first one encrypts.

A key never leaves this process. The id of the key is stored with each ciphertext. Each ciphertext is bound to the
thing that it belongs to, and has a key of its own, derived from a configured key, so that no nonce is used twice with
one key.
"""

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# ruff: noqa: PLC0415 - a worker loads the libraries for encryption with the first thing that is encrypted

KEY_BYTES = 32
SALT_BYTES: Final = 16
_NONCE: Final = bytes(12)
_DIGEST_PURPOSE: Final = b"didflow digest 1"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Unreadable(Exception):
    """Something exists, but this process cannot read or write it. `code` says why."""

    code: str


class KeyMissing(Unreadable):
    """It is encrypted under a key that is not configured."""

    code = "key_missing"


class NotDecryptable(Unreadable):
    """It cannot be decrypted: wrong key, altered bytes, or a ciphertext that belongs to something else."""

    code = "not_decryptable"


class Sealed(Struct, frozen=True, kw_only=True):
    """A ciphertext: the id of the configured key, and the salt before the encrypted bytes."""

    key_id: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """All configured keys by id. `current` is the id of the key that encrypts."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def key(self, key_id: str) -> bytes:
        """Return a key. Raises KeyMissing."""
        if key_id not in self.keys:
            raise KeyMissing(f"no key {key_id} is configured")
        return self.keys[key_id]

    def aimed_at(self, key_id: str) -> "Keyring":
        """Return the same keys with another current one. Raises KeyMissing."""
        self.key(key_id)
        return replace(self, current=key_id)


def read_keys(text: str) -> Keyring:
    """Read `id:base64 id:base64 ...`: one or more keys, separated by spaces, commas or line ends.

    Raises ValueError. The error repeats nothing of the text.
    """
    entries = [entry for entry in re.split(r"[\s,]+", text) if entry]
    keys = dict(_key(entry) for entry in entries)
    if not keys or len(keys) != len(entries):
        raise ValueError("must have at least one key id:base64, and each id only once")
    return Keyring(current=entries[0].partition(":")[0], keys=keys)


def seal(keyring: Keyring | None, plain: bytes, *, purpose: bytes, bound: bytes) -> Sealed:
    """Encrypt under the current key. `bound` is what the ciphertext belongs to. Raises KeyMissing."""
    if keyring is None:
        raise KeyMissing("no key is configured")
    salt = os.urandom(SALT_BYTES)
    encrypts = derived(keyring.key(keyring.current), salt, purpose)
    return Sealed(key_id=keyring.current, content=salt + encrypts.encrypt(_NONCE, plain, bound))


def unseal(keyring: Keyring | None, sealed: Sealed, *, purpose: bytes, bound: bytes) -> bytes:
    """Decrypt what was encrypted for the same purpose and bound to the same. Raises KeyMissing, NotDecryptable."""
    from cryptography.exceptions import InvalidTag

    if keyring is None:
        raise KeyMissing("no key is configured")
    salt, ciphertext = sealed.content[:SALT_BYTES], sealed.content[SALT_BYTES:]
    try:
        return derived(keyring.key(sealed.key_id), salt, purpose).decrypt(_NONCE, ciphertext, bound)
    except InvalidTag:
        raise NotDecryptable("a ciphertext cannot be decrypted") from None


def keyed_digests(keyring: Keyring | None, digest: bytes) -> tuple[bytes, ...]:
    """Return a digest as it is stored, and then as it may have been stored under other keys, or without any.

    Without a key nobody can find the content of a keyed digest by comparing guesses with it.
    """
    if keyring is None:
        return (digest,)
    ids = (keyring.current, *(key_id for key_id in keyring.keys if key_id != keyring.current))
    keyed = (hmac.digest(keyring.key(key_id), _DIGEST_PURPOSE + digest, "sha256") for key_id in ids)
    return (*keyed, digest)


def derived(key: bytes, salt: bytes, purpose: bytes) -> "AESGCM":
    """Return what encrypts under a key of its own, derived from a configured key, a salt and a purpose."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(key))


def _key(entry: str) -> tuple[str, bytes]:
    key_id, _, written = entry.partition(":")
    try:
        key = base64.b64decode(written.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        key = b""
    if not _ID.fullmatch(key_id) or len(key) != KEY_BYTES:
        raise ValueError(
            f"must have keys of the form id:base64: the id has letters, digits, dots, dashes and underscores, "
            f"and the key has {KEY_BYTES} random bytes"
        )
    return key_id, key
