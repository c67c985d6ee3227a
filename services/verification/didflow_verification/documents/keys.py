"""The keys of documents and of former identities and addresses. There can be several; the first one encrypts.

A key never leaves this process. The id of the key is stored with each ciphertext.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from didflow_verification.documents.errors import KeyMissing

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


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
