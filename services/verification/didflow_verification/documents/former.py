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

PURPOSE: Final = b"didflow former details 1"


def encryption(keyring: Keyring | None) -> Callable[[FormerDetails], FormerDetails]:
    """Return the function that encrypts former details before they are saved. It raises KeyMissing without keys."""
    return partial(encrypted, keyring)


def encrypted(keyring: Keyring | None, former: FormerDetails) -> FormerDetails:
    """Return former details with their content encrypted under the current key. Raises KeyMissing."""
    if former.content is None or former.key_id is not None:
        return former
    made = seal(keyring, former.content, purpose=PURPOSE, bound=bound_to(former))
    return replace(former, key_id=made.key_id, content=made.content)


def decrypted(keyring: Keyring | None, former: FormerDetails) -> Identity | Address | None:
    """Return the revision, or None if it was erased. Raises KeyMissing, DecryptionError."""
    plain = _plain(keyring, former)
    return None if plain is None else revision_of(former, plain)


def sealed(former: FormerDetails) -> Sealed | None:
    """Return the ciphertext of stored former details, or None if they were erased."""
    if former.content is None or former.key_id is None:
        return None
    return Sealed(key_id=former.key_id, content=former.content)


def _plain(keyring: Keyring | None, former: FormerDetails) -> bytes | None:
    ciphertext = sealed(former)
    if ciphertext is None:
        return None
    try:
        return unseal(keyring, ciphertext, purpose=PURPOSE, bound=bound_to(former))
    except NotDecryptable:
        raise DecryptionError(f"the former details {former.former_id} cannot be decrypted") from None


def bound_to(former: FormerDetails) -> bytes:
    """Return what a ciphertext belongs to: the revision, and its account."""
    return former.detail_id.bytes + former.revision.to_bytes(8, "big") + former.account.encode()
