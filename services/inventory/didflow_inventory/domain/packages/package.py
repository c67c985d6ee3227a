"""The states of packages, and of their clients.

How many numbers a client has is counted under the exclusive lock of the client, which every pick holds.
Source: spec inventory, Packages.
"""

from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from didflow_chassis.decision import Known
from didflow_contracts.vocabulary import NumberType
from didflow_inventory.domain.history.things import Thing, recorded_fields
from didflow_inventory.domain.stock.number import Number

PackageState = Literal["active", "inactive"]


class Selection(Struct, frozen=True, kw_only=True):
    """Which numbers in the stock of the package's account can be picked: those that have each value that is given."""

    country: str | None = None
    number_type: NumberType | None = None
    tag: str | None = None
    operator: str | None = None

    def has(self, number: Number) -> bool:
        """Return True if a number has all values."""
        return all(getattr(number, name) == value for name, value in self.given().items())

    def given(self) -> dict[str, str]:
        """Return the values that are given, by their names."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Package(Struct, frozen=True, kw_only=True):
    """A package of an account. Each of its clients can have `count` numbers of the selection.

    While the package is inactive, its numbers are on hold, `hold_days` at most.
    """

    package_id: UUID
    account: str
    name: str
    count: int
    selection: Selection
    hold_days: int
    state: PackageState = "active"
    created_at: datetime


class PackageClient(Struct, frozen=True, kw_only=True):
    """An account that picks numbers under a package. `picks` counts all its picks, also those of former DIDs."""

    key: str
    package_id: UUID
    account: str
    active: bool = True
    picks: int = 0
    since: datetime


class PackageUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that a client has picked, and its `picks` when they were counted."""

    key: str
    dids: int
    picks: int

    def as_of(self, client: PackageClient) -> int:
        """Return how many the client has now, with the picks of the same transaction."""
        return self.dids + client.picks - self.picks


def client_key(package_id: Any, account: str) -> str:
    """Return the key of a client. It is unambiguous, because an id has no separator."""
    return f"{package_id}|{account}"


def ended_package(key: str | None, known: Known) -> Package | None:
    """Return the package of a client if its numbers must be on hold: it is inactive, or the client has ended.

    None as well for a DID of no package. Client and package must be known (`needs.package_of_did`).
    """
    client = None if key is None else known.get(PackageClient, key)
    package = None if client is None else known.get(Package, client.package_id)
    if client is None or package is None or (client.active and package.state == "active"):
        return None
    return package


def account_of_client(key: str) -> str:
    """Return the account of a client by its key."""
    return key.partition("|")[2]


PACKAGE: Final = Thing(
    name="package",
    model=Package,
    key_of=attrgetter("package_id"),
    account_of=attrgetter("account"),
    changes=recorded_fields(Package, without=["package_id"]),
)
"""A package in the history."""

CLIENT: Final = Thing(
    name="package",
    model=PackageClient,
    key_of=attrgetter("key"),
    account_of=attrgetter("account"),
    changes=recorded_fields(PackageClient, without=["key", "package_id", "picks"]),
)
"""A client of a package in the history. Its id is that of the package and its account (`client_key`)."""
