"""Who uses a number and where: identities, their addresses, and the papers that prove them.

An address and a document belong to one identity, an identity to one account. Nothing of them is ever said
in an event or a log line but their ids.
"""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct, field

from didflow_contracts.accounts import is_within
from didflow_contracts.vocabulary import EndUserType


class Person(Struct, frozen=True, kw_only=True):
    """What is stated about a company or a person; each field as it was typed in."""

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
        """Return a field as text (dates as ISO 8601), or None where it is missing or blank."""
        value = getattr(self, name)
        return str(value).strip() or None if value is not None else None


class Identity(Struct, frozen=True, kw_only=True):
    """An end user; `revision` counts its changes. It serves its account and those below.

    From `erased_at` on it states nothing and serves nobody: all that is left is that there was one.
    """

    identity_id: UUID
    account: str
    type: EndUserType
    person: Person
    revision: int = 1
    created_at: datetime
    created_by: str
    erased_at: datetime | None = None

    def serves(self, account: str) -> bool:
        """Whether DIDs of this account may be registered to the identity."""
        return self.erased_at is None and is_within(account, self.account)


class Place(Struct, frozen=True, kw_only=True):
    """An address: street lines, city, region, postal code, ISO-2 country."""

    street: str
    city: str
    postal_code: str = ""
    region: str = ""
    country: str


class Address(Struct, frozen=True, kw_only=True):
    """An address of one identity, in that identity's account; `revision` counts its changes."""

    address_id: UUID
    identity_id: UUID
    account: str
    place: Place
    revision: int = 1
    created_at: datetime
    created_by: str
    erased_at: datetime | None = None


class Document(Struct, frozen=True, kw_only=True):
    """A paper of one identity: its kind, its dates, and what it states (attribute -> text).

    `readable` is whether its content was recognized as a format that a reviewer can open.
    """

    document_id: UUID
    identity_id: UUID
    kind: str
    readable: bool
    issued_on: date | None = None
    expires_on: date | None = None
    states: tuple[tuple[str, str], ...] = field(default=())

    def attribute(self, name: str) -> str | None:
        """Return what the document states under a name, or None where it states nothing."""
        stated: Mapping[str, str] = dict(self.states)
        return stated.get(name, "").strip() or None
