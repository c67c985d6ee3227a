"""Who uses a number, and where: identities and their addresses.

An address belongs to one identity, an identity to one account. Events and log lines contain only their ids.
"""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import EndUserType


class Person(Struct, frozen=True, kw_only=True):
    """The data of a company or a person. Each field is stored as it was entered."""

    company_name: str | None = None
    company_registration_number: str | None = None
    vat_number: str | None = None
    tax_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    birth_date: date | None = None
    national_id: str | None = None
    passport_number: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None

    def get(self, name: str) -> str | None:
        """Return a field as text (dates as ISO 8601), or None if it is missing or blank."""
        value = getattr(self, name)
        return str(value).strip() or None if value is not None else None


class Identity(Struct, frozen=True, kw_only=True):
    """An end user. It serves its account and the accounts below. `revision` counts its changes.

    `changed_by` made the present revision, at `changed_at`; both are None before the first change.

    From `erased_at` on it serves no account, and nobody is shown it. Its personal data is then removed, at once or, if
    the rest of the database is searched for it first, at the end of the search.
    """

    identity_id: UUID
    account: str
    type: EndUserType
    person: Person
    revision: int = 1
    created_at: datetime
    created_by: str
    changed_at: datetime | None = None
    changed_by: str | None = None
    erased_at: datetime | None = None

    def serves(self, account: str) -> bool:
        """Return True if DIDs of this account may be registered to the identity."""
        return self.erased_at is None and is_within(account, self.account)


class Place(Struct, frozen=True, kw_only=True):
    """An address: street lines, city, postal code, region, ISO-2 country."""

    street: str
    city: str
    postal_code: str = ""
    region: str = ""
    country: str


class Address(Struct, frozen=True, kw_only=True):
    """An address of one identity, in the account of that identity. `revision` counts its changes.

    `changed_by` made the present revision, at `changed_at`; both are None before the first change.
    """

    address_id: UUID
    identity_id: UUID
    account: str
    place: Place
    revision: int = 1
    created_at: datetime
    created_by: str
    changed_at: datetime | None = None
    changed_by: str | None = None
    erased_at: datetime | None = None
