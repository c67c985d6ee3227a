"""What is stored about one person: the identity with its addresses and documents, also while they are hidden."""

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from msgspec.structs import asdict

from didflow_chassis.database import Database
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.erasure.personal_values import PersonalValues

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class StoredPerson:
    """A person's details in the tables."""

    identity: Identity
    addresses: tuple[Address, ...]
    documents: tuple[Document, ...]

    def values(self) -> PersonalValues:
        """Return the values to search for elsewhere. There are none once the details are erased."""
        fields = asdict(self.identity.person)
        pairs = [*fields.items(), *(pair for a in self.addresses for pair in asdict(a.place).items())]
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


async def count_live_dids(database: Database, identity_id: UUID) -> int:
    """Return how many live DIDs use an identity. Raises Outage."""
    rows = await database.fetch(store.by_keys(store.DETAIL_USES, [identity_id]))
    found: int = rows[0]["dids"] if rows else 0
    return found


async def _owned(database: Database, kind: Kind[S], identity_id: UUID) -> tuple[S, ...]:
    rows = await database.fetch(store.of_identity(kind, identity_id))
    return tuple(store.state_of(kind, row) for row in rows)
