"""The rows of one DID in the four databases, with the states as each service defines them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.store.tables import TERM, ledger
from didflow_chassis.states import Kind, Stored
from didflow_contracts.vocabulary import AdditionalService
from didflow_inventory.domain.did import Did
from didflow_inventory.store.tables import DIDS
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.store.tables import ROUTING
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.store.kinds import REGISTRATIONS

KINDS: Final[Mapping[str, Kind[Any]]] = {
    "inventory": DIDS,
    "verification": REGISTRATIONS,
    "billing": TERM,
    "provisioning": ROUTING,
}
"""Service -> the kind of its state of a DID."""

ENTRIES: Final = "entries"
REQUESTS: Final = "requests"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenRequest:
    """The open request of one additional service."""

    service: AdditionalService
    state: str
    request_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class DidRows:
    """Everything that is stored about one DID. None: the service does not know the DID, or is not checked."""

    did_id: UUID
    inventory: Stored[Did] | None = None
    verification: Stored[Registration] | None = None
    billing: Stored[Term] | None = None
    provisioning: Stored[Routing] | None = None
    entries: Sequence[LedgerEntry] = ()
    requests: Sequence[OpenRequest] = ()

    def stored(self) -> dict[str, Stored[Any]]:
        """Return service -> its row, for the services that know the DID."""
        rows = {name: getattr(self, name) for name in KINDS}
        return {name: row for name, row in rows.items() if row is not None}

    def states(self) -> dict[str, Any]:
        """Return service -> its state, for the services that know the DID."""
        return {name: row.state for name, row in self.stored().items()}

    @property
    def number(self) -> str:
        """The number, as the first service has it that knows the DID."""
        if self.inventory is not None:
            return self.inventory.state.holding.number
        for row in (self.verification, self.billing, self.provisioning):
            if row is not None:
                return row.state.number
        return self.entries[0].number if self.entries else ""

    @property
    def versions(self) -> Mapping[str, int]:
        """Service -> the version of its row. They are equal in two looks if nothing has changed between them."""
        return {name: row.version for name, row in self.stored().items()}


def select_states(kind: Kind[Any]) -> str:
    """Return the statement that selects all rows of a kind."""
    columns = ", ".join(f'"{column}"' for column in kind.columns)
    return f"SELECT {columns} FROM {kind.table.name}"  # noqa: S608


SELECT_ENTRIES: Final = f"SELECT {', '.join(LedgerEntry.__struct_fields__)} FROM {ledger.name}"  # noqa: S608
SELECT_REQUESTS: Final = (
    "SELECT did_id, service, state, request_id FROM service_requests WHERE state <> 'not_configured'"
)


def to_entry(row: Any) -> LedgerEntry:
    """Return the ledger entry of a row."""
    return LedgerEntry(**dict(row))


def to_request(row: Any) -> OpenRequest:
    """Return the open request of a row."""
    return OpenRequest(service=row["service"], state=row["state"], request_id=row["request_id"])
