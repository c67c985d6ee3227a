"""Details that satisfy any row of the catalogue. They are made from the row, so a new row needs no new test.

A test with the parameter `row`, `asking`, `by_area`, ... runs once for every row of that kind.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from didflow_contracts.areas import calling_code
from didflow_contracts.ids import derived_id
from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.details.identity import Address, Identity, Person, Place
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.areas import inside, locate_for
from didflow_verification.domain.evaluation.findings import EvaluationInput
from didflow_verification.domain.evaluation.numbering_plan import entries
from didflow_verification.domain.requirements import ANYWHERE, CountryRules, Requirement

DAY = date(2026, 11, 20)
VECTORS = {
    vector["id"]: vector
    for vector in yaml.safe_load(
        (Path(__file__).parent / "identifier_vectors.yaml").read_text(encoding="utf-8")
    )
}
PLAIN: dict[str, Any] = {
    "company_name": "Quay Street Trading",
    "company_registration_number": "HRB 12345",
    "vat_number": "SE556033519101",
    "first_name": "Joan",
    "last_name": "Murphy",
    "contact_email": "joan@example.org",
    "contact_phone": "+35319609036",
    "birth_date": date(1980, 5, 17),
    "passport_number": "X1234567",
}
EXCEPTIONS = {
    ("NL", "company_registration_number"): "30010203",
    ("ZA", "company_registration_number"): "2015/123456/07",
}
NUMBERS = {
    "*": ("+80012345678", ""),
    "AT": ("+4312345678", "Wien"),
    "AU": ("+61291234567", "Sydney"),
    "BE": ("+3223456789", "Bruxelles"),
    "BH": ("+97317123456", "Manama"),
    "BR": ("+551123456789", "São Paulo"),
    "CA": ("+14165551234", "Toronto"),
    "CH": ("+41443643535", "Zürich"),
    "CN": ("+861012345678", "Beijing"),
    "DE": ("+493012345678", "Berlin"),
    "DK": ("+4532123456", "København"),
    "EE": ("+3726123456", "Tallinn"),
    "ES": ("+34911234567", "Madrid"),
    "FR": ("+33142685300", "Paris"),
    "GB": ("+442079460000", "London"),
    "HK": ("+85258123456", "Kowloon"),
    "HR": ("+38514567890", "Zagreb"),
    "IE": ("+35319609036", "Dublin"),
    "IT": ("+390612345678", "Roma"),
    "JP": ("+81312345678", "Tokyo"),
    "KR": ("+82807001234", "Seoul"),
    "MX": ("+525512345678", "Ciudad de México"),
    "NL": ("+31201234567", "Amsterdam"),
    "NO": ("+4721234567", "Oslo"),
    "NZ": ("+6491234567", "Auckland"),
    "PL": ("+48221234567", "Warszawa"),
    "PT": ("+351211234567", "Lisboa"),
    "SE": ("+4687654321", "Stockholm"),
    "SG": ("+6561234567", "Singapore"),
    "US": ("+12125551234", "New York"),
    "ZA": ("+27111234567", "Johannesburg"),
}


@dataclass(frozen=True)
class Row:
    """A row of the catalogue for one of its end-user types."""

    rules: CountryRules
    requirement: Requirement
    type: Any

    @property
    def id(self) -> str:
        """Return the name of the case."""
        return f"{self.requirement.key}-{self.type}"


ROWS = [
    Row(rules, requirement, kind)
    for rules in packaged()
    for requirement in rules.requirements
    for kind in requirement.end_user_types
]
ASKING = [row for row in ROWS if row.requirement.required]
KINDS = {
    "row": ROWS,
    "asking": ASKING,
    "by_area": [row for row in ASKING if row.requirement.by_area],
    "with_documents": [row for row in ASKING if row.requirement.documents],
    "with_cross_checks": [row for row in ASKING if row.requirement.cross_checks],
    "restricted": [row for row in ASKING if row.requirement.restrictions],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for every row of the kind of its parameter."""
    for name in KINDS.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, [pytest.param(row, id=row.id) for row in KINDS[name]])


def person_of(row: Row) -> Person:
    """Return a person with every field that the row asks for, alternatives included."""
    stated: dict[str, Any] = {}
    for field in row.requirement.identity_fields:
        if field.applies_to in {None, row.type}:
            value = VECTORS[field.checksum]["valid"][0] if field.checksum else PLAIN[field.field]
            stated[field.field] = EXCEPTIONS.get((row.rules.country, field.field), value)
    return Person(**stated)


def good(row: Row) -> EvaluationInput:
    """Return details that pass every check of the row, except those for a reviewer."""
    number, city = NUMBERS[row.rules.country]
    identity = Identity(
        identity_id=derived_id("case", row.id),
        account="master/acme",
        type=row.type,
        person=person_of(row),
        created_at=None,  # type: ignore[arg-type]
        created_by="user:ann",
    )
    country = "IE" if row.rules.country == ANYWHERE else row.rules.country
    place = Place(street="1 Harbour Road", city=city or "Cork", postal_code="10115", country=country)
    address = Address(
        address_id=derived_id("case address", row.id),
        identity_id=identity.identity_id,
        account=identity.account,
        place=place,
        created_at=None,  # type: ignore[arg-type]
        created_by="user:ann",
    )
    submission = EvaluationInput(
        requirement=row.requirement,
        identity=identity,
        address=address,
        documents=(),
        country=row.rules.country,
        inside=inside(row.requirement.address.match, place, locate_for(number, row.rules))
        if row.requirement.by_area
        else None,
        day=DAY,
    )
    documents = (
        document_for(row, submission, group.group, group.accepts[0]) for group in row.requirement.documents
    )
    return replace(submission, documents=tuple(documents))


def document_for(row: Row, submission: EvaluationInput, group: str, kind: str) -> DocumentFacts:
    """Return a recent document for a group, with the attributes that the cross-checks compare."""
    place = submission.address.place if submission.address else None
    states = []
    for cross in row.requirement.cross_checks:
        _, _, attribute = cross.left.split(".", 2)
        if cross.equals == "address" and place:
            states.append((attribute, f"{place.street}, {place.postal_code} {place.city.upper()}"))
        elif stated := submission.identity.person.get(cross.equals.removeprefix("identity.")):
            states.append((attribute, stated.upper()))
    return DocumentFacts(
        document_id=derived_id("paper", row.id, group),
        identity_id=submission.identity.identity_id,
        kind=kind,
        readable=True,
        issued_on=DAY - timedelta(days=1),
        expires_on=DAY + timedelta(days=365),
        states=tuple(states),
    )


class Details:
    """Makes details for a row, changes them, and returns the checks that fail. `day` is the day of the evaluation."""

    day = DAY

    def good(self, row: Row) -> EvaluationInput:
        """Return details that pass."""
        return good(row)

    def for_key(self, key: str) -> EvaluationInput:
        """Return details that pass the row of a key."""
        return good(next(row for row in ROWS if row.requirement.key == key))

    def wrong_character(self, rule: str) -> str:
        """Return an identifier with the right format and a wrong check character."""
        return next(str(i["value"]) for i in VECTORS[rule]["invalid"] if "check" in i["why"])

    def wrong_code(self, rule: str) -> str:
        """Return the code of a wrong check character. For Korea, python-stdnum only detects impossible parts."""
        return "bad_format" if rule == "kr.brn" else "bad_checksum"

    def failures(self, submission: EvaluationInput) -> list[tuple[str | None, str | None]]:
        """Return the code and the field of every check that failed."""
        return [(f.code, f.field) for f in evaluate(submission) if f.passed is False]

    def without(self, submission: EvaluationInput, *fields: str) -> EvaluationInput:
        """Remove fields from the identity."""
        person = replace(submission.identity.person, **dict.fromkeys(fields))
        return replace(submission, identity=replace(submission.identity, person=person))

    def with_person(self, submission: EvaluationInput, **fields: Any) -> EvaluationInput:
        """Change fields of the identity."""
        person = replace(submission.identity.person, **fields)
        return replace(submission, identity=replace(submission.identity, person=person))

    def with_place(self, submission: EvaluationInput, **place: Any) -> EvaluationInput:
        """Change the address, and the documents with it. A city of a row that names areas is located again."""
        assert submission.address is not None
        moved = replace(submission.address, place=replace(submission.address.place, **place))
        match = submission.requirement.address.match
        if submission.requirement.by_area:
            number, _ = NUMBERS[submission.country]
            rules = next(row.rules for row in ROWS if row.rules.country == submission.country)
            submission = replace(submission, inside=inside(match, moved.place, locate_for(number, rules)))
        stated = f"{moved.place.street}, {moved.place.postal_code} {moved.place.city}"
        documents = tuple(
            replace(d, states=tuple((n, stated if n == "address" else v) for n, v in d.states))
            for d in submission.documents
        )
        return replace(submission, address=moved, documents=documents)

    def elsewhere(self, submission: EvaluationInput) -> str:
        """Return a place of another prefix of the country."""
        number, _ = NUMBERS[submission.country]
        rules = next(row.rules for row in ROWS if row.rules.country == submission.country)
        names = (found.get("en", "") for _, found in entries(calling_code(number)))
        return next(name for name in names if locate_for(number, rules)(name) is False)


@pytest.fixture
def details() -> Details:
    """Makes details for rows of the catalogue."""
    return Details()
