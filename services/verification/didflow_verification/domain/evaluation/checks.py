"""The checks of identity fields, of the address and of restrictions."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from didflow_verification.domain.details.identity import Place
from didflow_verification.domain.evaluation import identifiers
from didflow_verification.domain.evaluation.findings import (
    EvaluationInput,
    Finding,
    failed,
    for_reviewer,
    passed,
    passed_if,
)
from didflow_verification.domain.requirements import IdentityField, Restriction

MATCH = "address.match"

_BIRTH_DATE = "identity.birth_date"
_PLACE_FIELD: Final[Mapping[str, str]] = {"area": "city", "region": "region"}
_TYPE_OF: Final[Mapping[str, str]] = {"business_only": "business", "individual_only": "individual"}
_PO_BOX = re.compile(
    r"""
    \b p \s? \.? \s? o \s? \.? \s? box \b | \b post \s? office \s+ box \b | \b locked \s+ bag \b
    | \b postfach \b | \b postbus \b | \b postboks \b | \b postbox \b | \b box \s+ \d+ \s* $
    | \b bo[iî]te \s+ postale \b | \b b\.? \s? p\.? \s* \d+ | \b case \s+ postale \b | \b casella \s+ postale \b
    | \b apartado (\s+ (de \s+ correos | postal))? \s* \d+ | \b apartado \s+ (de \s+ correos | postal) \b
    | \b caixa \s+ postal \b | \b skrytka \s+ pocztowa \b | \b skr\. \s* poczt\.
    """,
    re.IGNORECASE | re.VERBOSE,
)


def identity_findings(given: EvaluationInput) -> Iterator[Finding]:
    """Check every field that the requirement asks of this type of end user, in the order of the catalogue."""
    for wanted in given.requirement.identity_fields:
        if wanted.applies_to in {None, given.identity.type}:
            finding = _field(wanted, given)
            if finding is not None:
                yield finding


def _field(wanted: IdentityField, given: EvaluationInput) -> Finding | None:
    name = f"identity.{wanted.field}"
    value = given.identity.person.get(wanted.field)
    if value is None:
        if wanted.when_given or any(given.has(replacement) for replacement in wanted.unless):
            return None
        return failed(name, "missing_field", name)
    matched = identifiers.match_format(value, wanted.pattern, given.country)
    if matched is None:
        return failed(name, identifiers.BAD_FORMAT, name)
    code = identifiers.check_character(wanted.checksum, matched) if wanted.checksum else None
    if code == identifiers.BAD_CHECKSUM and wanted.checksum_warns:
        return for_reviewer(name, name)
    return failed(name, code, name) if code else passed(name, name)


def address_findings(given: EvaluationInput) -> Iterator[Finding]:
    """Check that the address is there and is where it must be. Source: spec verification, Evaluation."""
    rule = given.requirement.address
    if given.address is None:
        if rule.required:
            yield failed("address", "address_missing", "address")
            if rule.match != "none":
                yield for_reviewer(MATCH, "address")
        return
    if rule.required:
        yield passed("address", "address")
    if rule.match != "none":
        yield _match(given, given.address.place)
    if rule.proof and all(g.group != "proof_of_address" for g in given.requirement.documents):
        yield for_reviewer("address.proof", "address")


def _match(given: EvaluationInput, place: Place) -> Finding:
    match = given.requirement.address.match
    if place.country != given.country:
        return failed(MATCH, f"address_outside_{match}", "address.country")
    if match == "country":
        return passed(MATCH, "address.country")
    field = f"address.{_PLACE_FIELD[match]}"
    if given.inside is None:
        return for_reviewer(MATCH, field)
    return passed_if(MATCH, f"address_outside_{match}", field, holds=given.inside)


def restriction_findings(given: EvaluationInput) -> Iterator[Finding]:
    """Check every restriction. Five codes are checked here, the others by a reviewer.

    A check of an address that is absent is for a reviewer, unless the address is optional and must only not be a box.
    Source: spec verification, Catalogue.
    """
    for restriction in given.requirement.restrictions:
        yield _restriction(restriction, given)


def _restriction(restriction: Restriction, given: EvaluationInput) -> Finding:
    code = restriction.code
    if code in _TYPE_OF:
        return passed_if(code, code, "identity.type", holds=given.identity.type == _TYPE_OF[code])
    if code == "minimum_age":
        return _minimum_age(restriction.years or 0, given)
    if code not in {"no_po_box", "resident_only"}:
        return for_reviewer(code, text=restriction.text)
    if given.address is None:
        harmless = code == "no_po_box" and not given.requirement.address.required
        return passed(code, "address") if harmless else for_reviewer(code, "address")
    place = given.address.place
    if code == "no_po_box":
        return passed_if(code, "po_box", "address.street", holds=not is_po_box(place.street))
    return passed_if(code, "not_resident", "address.country", holds=place.country == given.country)


def is_po_box(street: str) -> bool:
    """Return True if the street lines name a post office box, in a language of the catalogue's countries."""
    return any(_PO_BOX.search(line) for line in street.splitlines())


def _minimum_age(years: int, given: EvaluationInput) -> Finding:
    """Check the age of a person on the day. A business has no age and passes."""
    if given.identity.type == "business":
        return passed("minimum_age", "identity.type")
    born = given.identity.person.birth_date
    if born is None:
        return failed("minimum_age", "missing_field", _BIRTH_DATE)
    return passed_if("minimum_age", "below_minimum_age", _BIRTH_DATE, holds=_age_on(given.day, born) >= years)


def _age_on(day: date, born: date) -> int:
    """Return whole years. Somebody born on 29 February gets a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
