"""The world of a random history: accounts, numbers, end users whose values are marked, and the first catalogue.

Every personal value and every word of a reviewer contains `MARK`, so one search finds each of them in any text.
"""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

from harness.requirements import requirement
from pydantic import SecretStr

from didflow_chassis.decision import Caller
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import EndUserType, NumberType
from didflow_verification.domain.details.identity import Person, Place
from didflow_verification.domain.requirements import (
    ANYWHERE,
    AddressRule,
    CountryRules,
    DocumentGroup,
    IdentityField,
    Requirement,
    Review,
    utc_day,
)
from didflow_verification.settings import VerificationSettings

MARK: Final = "zqxjvk"
"""Part of every marked value. No id, code or number contains it, and no ciphertext by chance."""

ACCOUNTS: Final = ("master/acme", "master/acme/shop", "master/globex")
OWNERS: Final = ("master", *ACCOUNTS)
"""The accounts that have end users."""

KEYED: Final = VerificationSettings.placeholder().model_copy(
    update={"document_keys": SecretStr(f"k1:{base64.b64encode(bytes(range(32))).decode()}")}
)
"""Settings with a key for what is kept encrypted."""

FEATURES: Final = ("voice_in", "emergency", "a2p_sms", "cnam")
ZERO: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Slot:
    """A number of the history. It can have several lives, one after another."""

    number: str
    number_type: NumberType
    end_user_type: EndUserType
    city: str = "Dublin"

    def did_id(self, life: int) -> UUID:
        """Return the id of the DID in one life of the number."""
        return derived_id("history", self.number, str(life))


SLOTS: Final = (
    Slot("+35319609036", "local", "business"),
    Slot("+353214278001", "local", "business", "Cork"),
    Slot("+35319609037", "local", "individual"),
    Slot("+353214278002", "local", "individual"),
    Slot("+353851234567", "mobile", "business"),
    Slot("+353851234568", "mobile", "business"),
    Slot("+353818123456", "national", "business"),
    Slot("+3531800123456", "toll_free", "individual"),
    Slot("+12125550123", "local", "business"),
)
"""Numbers of Dublin and Cork, and numbers under other rows. The rows of the last three require no registration."""

CITIES: Final = ("Dublin", "Cork", "Nowhere", "Leeds")
"""Places of a prefix, a place that no list names, and one in another country."""


def caller(subject: str, account: str = "master", role: str = "reviewer") -> Caller:
    """Return a caller. Reviewers review for the whole tree."""
    return Caller(subject=subject, account=account, role=role)


OPERATOR: Final = caller("olga", "", "operator")


class Marks:
    """Makes values that occur nowhere else, and remembers whom each of them is about."""

    def __init__(self) -> None:
        self.about: dict[UUID, list[str]] = {}
        self._count = 0

    def text(self, identity_id: UUID, what: str) -> str:
        """Return a new marked value about an end user."""
        self._count += 1
        value = f"{MARK.title()}{self._count}x"
        self.about.setdefault(identity_id, []).append(value)
        return f"{value}{what}"

    def person(self, identity_id: UUID, kind: EndUserType) -> Person:
        """Return a person or a company with marked values."""
        mark = partial(self.text, identity_id)
        common = {"passport_number": mark("P"), "contact_email": f"{mark('mail')}@example.com"}
        if kind == "business":
            return Person(company_name=f"{mark('Bakery')} Ltd", vat_number=mark("V"), **common)
        return Person(first_name=mark("First"), last_name=mark("Last"), **common)

    def place(self, identity_id: UUID, city: str) -> Place:
        """Return a place in a city with a marked street."""
        country = "GB" if city == "Leeds" else "IE"
        street, code = f"{self.text(identity_id, 'Lane')} 7", self.text(identity_id, "Code")
        return Place(street=street, city=city, postal_code=code, country=country)


def _row(
    key: str,
    number_type: NumberType | Literal["any"],
    types: tuple[EndUserType, ...] = ("business", "individual"),
    **changes: Any,
) -> Requirement:
    given = {"review": Review(manual=True)} | changes
    return requirement(**given, key=key, number_type=number_type, end_user_types=types)


BILL: Final = DocumentGroup(group="proof_of_address", accepts=("utility_bill",), max_age_days=200)

CATALOGUE: Final = (
    CountryRules(
        country="IE",
        places={},
        requirements=(
            _row(
                "ie.local.business",
                "local",
                ("business",),
                identity_fields=(IdentityField(field="company_name"),),
                address=AddressRule(required=True, match="area", proof=False),
                review=Review(manual=False),
            ),
            _row(
                "ie.local.individual",
                "local",
                ("individual",),
                address=AddressRule(required=True, match="country", proof=True),
                documents=(BILL,),
            ),
            _row("ie.mobile.any", "mobile"),
            _row("ie.national.any", "national", required=False, review=Review(manual=False)),
            _row(
                "ie.toll_free.business",
                "toll_free",
                ("business",),
                required=False,
                review=Review(manual=False),
            ),
        ),
    ),
    CountryRules(
        country="US",
        places={},
        requirements=(_row("us.local.any", "local", required=False, review=Review(manual=False)),),
    ),
    CountryRules(country=ANYWHERE, places={}, requirements=(_row("any.any", "any"),)),
)
"""Rows by area without review, with review and a document, with review only, free ones, and a free one for some."""


def next_version(
    rules: CountryRules,
    number: int,
    now: datetime,
    *,
    days: int,
    reverify: bool,
    manual: bool,
    required: bool,
) -> CountryRules:
    """Return the rules with a next version of one row, which begins in some days and has a grace of ten."""
    keys = sorted({row.key for row in rules.requirements})
    key = keys[number % len(keys)]
    last = max((row for row in rules.requirements if row.key == key), key=lambda row: row.version)
    begins = max(utc_day(now) + timedelta(days=days), last.effective_from + timedelta(days=1))
    new = replace(
        last,
        version=last.version + 1,
        effective_from=begins,
        reverify=reverify,
        grace_until=begins + timedelta(days=10) if reverify else None,
        required=required,
        review=Review(manual=manual),
    )
    return replace(rules, requirements=(*rules.requirements, new))
