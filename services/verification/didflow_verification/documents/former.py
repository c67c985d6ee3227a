"""Encrypts and decrypts former revisions of identities and addresses, with the keys of documents (AES-256-GCM).

Each ciphertext is bound to the revision: to the id of the identity or address, the number of the revision, and the
account.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from didflow_chassis.encryption import Keyring, NotDecryptable, Sealed, seal, unseal
from didflow_verification.documents.errors import DecryptionError
from didflow_verification.domain.details.former import FormerDetails, revision_of
from didflow_verification.domain.details.identity import Address, Identity

_PURPOSE: Final = b"didflow former details 1"


def encryption(keyring: Keyring | None) -> Callable[[FormerDetails], FormerDetails]:
    """Return the function that encrypts former details before they are saved. It raises KeyMissing without keys."""
    return partial(encrypted, keyring)


def encrypted(keyring: Keyring | None, former: FormerDetails) -> FormerDetails:
    """Return former details with their content encrypted under the current key. Raises KeyMissing."""
    if former.content is None or former.key_id is not None:
        return former
    sealed = seal(keyring, former.content, purpose=_PURPOSE, bound=_bound(former))
    return replace(former, key_id=sealed.key_id, content=sealed.content)


def decrypted(keyring: Keyring | None, former: FormerDetails) -> Identity | Address | None:
    """Return the revision, or None if it was erased. Raises KeyMissing, DecryptionError."""
    plain = _plain(keyring, former)
    return None if plain is None else revision_of(former, plain)


def encrypted_again(keyring: Keyring, former: FormerDetails) -> FormerDetails:
    """Return stored former details with their content under the current key. Raises KeyMissing, DecryptionError."""
    return encrypted(keyring, replace(former, key_id=None, content=_plain(keyring, former)))


def _plain(keyring: Keyring | None, former: FormerDetails) -> bytes | None:
    if former.content is None or former.key_id is None:
        return None
    sealed = Sealed(key_id=former.key_id, content=former.content)
    try:
        return unseal(keyring, sealed, purpose=_PURPOSE, bound=_bound(former))
    except NotDecryptable:
        raise DecryptionError(f"the former details {former.former_id} cannot be decrypted") from None


def _bound(former: FormerDetails) -> bytes:
    return former.detail_id.bytes + former.revision.to_bytes(8, "big") + former.account.encode()
