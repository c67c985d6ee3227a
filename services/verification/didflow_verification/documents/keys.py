"""The keys that documents are encrypted under: several at once, the first of which encrypts what is new.

A key never leaves this process; what is stored with a ciphertext is the key's id.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class KeyMissing(Exception):
    """A document is encrypted under a key that is not configured any more."""

    code = "key_missing"


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """All configured keys by id; `current` is the id of the one for new documents."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def key(self, key_id: str) -> bytes:
        """Return a key. Raises KeyMissing."""
        if key_id not in self.keys:
            raise KeyMissing(f"no key {key_id} is configured")
        return self.keys[key_id]


def read_keys(text: str) -> Keyring:
    """Read `id:base64 id:base64 ...`, one or more, separated by blanks, commas or lines.

    Raises ValueError, which repeats nothing of the text.
    """
    entries = [entry for entry in re.split(r"[\s,]+", text) if entry]
    keys = dict(_entry(entry) for entry in entries)
    if not keys or len(keys) != len(entries):
        raise ValueError("must have one entry id:base64 for each key, each id once")
    return Keyring(current=entries[0].partition(":")[0], keys=keys)


def _entry(entry: str) -> tuple[str, bytes]:
    key_id, _, written = entry.partition(":")
    try:
        key = base64.b64decode(written.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        key = b""
    if not _ID.fullmatch(key_id) or len(key) != KEY_BYTES:
        raise ValueError(f"each entry must be id:base64 with an id of its own and {KEY_BYTES} random bytes")
    return key_id, key
