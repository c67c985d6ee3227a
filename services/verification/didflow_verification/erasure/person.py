"""What is stored about one person: the identity with its addresses and documents, also while they are hidden.

Former revisions that verifications judged have values too, which are searched for like the present ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from msgspec.structs import asdict

from didflow_chassis.database import Database
from didflow_chassis.encryption import Keyring
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.documents.former import decrypted
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.former import FormerDetails
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.erasure.personal_values import PersonalValues

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class StoredPerson:
    """A person's details in the tables."""

    identity: Identity
    addresses: tuple[Address, ...]
    documents: tuple[Document, ...]

    def values(self, former: Iterable[Identity | Address] = ()) -> PersonalValues:
        """Return the values to search for elsewhere, with those of former revisions. None are left once erased."""
        pairs = [pair for details in (self.identity, *self.addresses, *former) for pair in _fields(details)]
        pairs += [pair for document in self.documents for pair in document.states]
        return PersonalValues.of((name, str(value)) for name, value in pairs if value is not None)


async def find_person(database: Database, identity_id: UUID) -> StoredPerson | None:
    """Return the details of a person, in any account, or None. Raises Outage."""
    rows = await database.fetch(store.by_keys(store.IDENTITIES, [identity_id]))
    if not rows:
        return None
    return StoredPerson(
        identity=store.state_of(store.IDENTITIES, rows[0]),
        addresses=await _owned(database, store.ADDRESSES, identity_id),
        documents=await _owned(database, store.DOCUMENTS, identity_id),
    )


async def former_revisions(
    database: Database, keyring: Keyring | None, identity_id: UUID
) -> list[Identity | Address]:
    """Return the former revisions of an identity and its addresses that are kept and not erased.

    Raises KeyMissing, DecryptionError, Outage.
    """
    rows = await database.fetch(store.of_identity(store.FORMER_DETAILS, identity_id))
    states: list[FormerDetails] = [store.state_of(store.FORMER_DETAILS, row) for row in rows]
    return [found for state in states if (found := decrypted(keyring, state)) is not None]


async def count_live_dids(database: Database, identity_id: UUID) -> int:
    """Return how many live DIDs use an identity. Raises Outage."""
    rows = await database.fetch(store.by_keys(store.DETAIL_USES, [identity_id]))
    found: int = rows[0]["dids"] if rows else 0
    return found


def _fields(details: Identity | Address) -> Iterable[tuple[str, object]]:
    return asdict(details.person if isinstance(details, Identity) else details.place).items()


async def _owned(database: Database, kind: Kind[S], identity_id: UUID) -> tuple[S, ...]:
    rows = await database.fetch(store.of_identity(kind, identity_id))
    return tuple(store.state_of(kind, row) for row in rows)
