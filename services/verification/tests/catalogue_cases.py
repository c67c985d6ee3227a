"""Details that satisfy any row of the catalogue, made from the row itself: a new row is covered by itself."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from didflow_contracts.ids import derived_id
from didflow_verification.catalogue.reading import packaged
from didflow_verification.domain.areas import place_names
from didflow_verification.domain.catalogue import ANYWHERE, CountryRules, Requirement
from didflow_verification.domain.identity import Address, Document, Identity, Person, Place
from didflow_verification.domain.submission import Submission

DAY = date(2026, 11, 20)
VECTORS = {
    vector["id"]: vector
    for vector in yaml.safe_load(
        (Path(__file__).parent / "identifier_vectors.yaml").read_text(encoding="utf-8")
    )
}
PLAIN = {
    "company_name": "Quay Street Trading",
    "company_registration_number": {"DE": "HRB 12345", "NL": "30010203"},
    "vat_number": {"SE": "SE556033519101"},
    "first_name": "Joan",
    "last_name": "Murphy",
    "contact_email": "joan@example.org",
    "contact_phone": "+35319609036",
    "birth_date": date(1980, 5, 17),
    "passport_number": "X1234567",
}
NUMBERS = {
    "*": ("+80012345678", ""),
    "AT": ("+4312345678", "Wien"),
    "AU": ("+61291234567", "Sydney"),
    "BE": ("+3223456789", "Bruxelles"),
    "BR": ("+551123456789", "São Paulo"),
    "CA": ("+14165551234", "Toronto"),
    "CH": ("+41443643535", "Zürich"),
    "DE": ("+493012345678", "Berlin"),
    "DK": ("+4532123456", "København"),
    "ES": ("+34911234567", "Madrid"),
    "FR": ("+33142685300", "Paris"),
    "GB": ("+442079460000", "London"),
    "IE": ("+35319609036", "Dublin"),
    "MX": ("+525512345678", "Ciudad de México"),
    "NL": ("+31201234567", "Amsterdam"),
    "PL": ("+48221234567", "Warszawa"),
    "PT": ("+351211234567", "Lisboa"),
    "SE": ("+4687654321", "Stockholm"),
    "US": ("+12125551234", "New York"),
}


@dataclass(frozen=True)
class Row:
    """A row of the catalogue for one of its end-user types."""

    rules: CountryRules
    requirement: Requirement
    type: Any

    @property
    def id(self) -> str:
        """Name the case."""
        return f"{self.requirement.key}-{self.type}"


ROWS = [
    Row(rules, requirement, kind)
    for rules in packaged()
    for requirement in rules.requirements
    for kind in requirement.end_user_types
]
ASKING = [row for row in ROWS if row.requirement.required]


def person_of(row: Row) -> Person:
    """State all that the row asks of its end user, alternatives included."""
    stated: dict[str, Any] = {}
    for field in row.requirement.identity_fields:
        if field.applies_to in {None, row.type}:
            value = VECTORS[field.checksum]["valid"][0] if field.checksum else PLAIN[field.field]
            stated[field.field] = value[row.rules.country] if isinstance(value, dict) else value
    return Person(**stated)


def good(row: Row) -> Submission:
    """Build details that pass every check of the row that a program can judge."""
    number, city = NUMBERS[row.rules.country]
    identity = Identity(
        identity_id=derived_id("case", row.id),
        account="master/acme",
        type=row.type,
        person=person_of(row),
        created_at=None,  # type: ignore[arg-type]
        created_by="ann",
    )
    country = "IE" if row.rules.country == ANYWHERE else row.rules.country
    place = Place(street="1 Harbour Road", city=city or "Cork", postal_code="10115", country=country)
    address = Address(
        address_id=derived_id("case address", row.id),
        identity_id=identity.identity_id,
        account=identity.account,
        place=place,
        created_at=None,  # type: ignore[arg-type]
        created_by="ann",
    )
    submission = Submission(
        requirement=row.requirement,
        identity=identity,
        address=address,
        documents=(),
        country=row.rules.country,
        places=place_names(number, row.rules) if row.requirement.by_area else frozenset(),
        day=DAY,
    )
    papers = (paper(row, submission, group.group, group.accepts[0]) for group in row.requirement.documents)
    return replace(submission, documents=tuple(papers))


def paper(row: Row, submission: Submission, group: str, kind: str) -> Document:
    """A fresh document for a group that states what the cross-checks compare."""
    place = submission.address.place if submission.address else None
    states = []
    for cross in row.requirement.cross_checks:
        _, _, attribute = cross.left.split(".", 2)
        if cross.equals == "address" and place:
            states.append((attribute, f"{place.street}, {place.postal_code} {place.city.upper()}"))
        elif stated := submission.identity.person.get(cross.equals.removeprefix("identity.")):
            states.append((attribute, stated.upper()))
    return Document(
        document_id=derived_id("paper", row.id, group),
        identity_id=submission.identity.identity_id,
        kind=kind,
        readable=True,
        issued_on=DAY - timedelta(days=1),
        expires_on=DAY + timedelta(days=365),
        states=tuple(states),
    )
