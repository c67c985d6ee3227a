"""The checks of a service request's data, before a person decides. Source: spec verification, Service requests."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from didflow_chassis.decision import Refused
from didflow_contracts.vocabulary import AdditionalService
from didflow_verification.domain.axes.service_request import ServiceData
from didflow_verification.domain.details.identity import Address, Place
from didflow_verification.domain.evaluation.checks import is_po_box
from didflow_verification.domain.evaluation.findings import MESSAGES

CNAM_COUNTRIES: Final = frozenset({"US", "CA"})
CNAM_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ]{0,13}[A-Za-z0-9])?")
_HOUSE_NUMBER: Final = re.compile(r"\d")

FIELDS: Final[Mapping[AdditionalService, frozenset[str]]] = {
    "emergency": frozenset({"address_id", "caller_name"}),
    "a2p_sms": frozenset({"brand", "use_case", "sample_messages", "opt_in_text"}),
    "cnam": frozenset({"display_name"}),
}
"""The fields of the data of each service."""

Check = Callable[[ServiceData, Address | None, str], Refused | None]


def fault(
    service: AdditionalService, data: ServiceData, address: Address | None, country: str
) -> Refused | None:
    """Return the refusal of the first missing or wrong field, or None. `country` is the number's country."""
    return _CHECKS[service](data, address, country)


def _emergency(data: ServiceData, address: Address | None, country: str) -> Refused | None:
    if address is None:
        return Refused("address_missing", MESSAGES["address_missing"], "address_id")
    place = address.place
    if place.country != country:
        return Refused("address_outside_country", MESSAGES["address_outside_country"], "address_id")
    if is_po_box(place.street):
        return Refused("po_box", MESSAGES["po_box"], "address_id")
    if not _is_civic(place):
        return Refused(
            "bad_format",
            "The address must have a street with a house number, a city and a postal code.",
            "address_id",
        )
    return _given(data.caller_name, "caller_name")


def _is_civic(place: Place) -> bool:
    """Return True if help can be sent to the place: it has a house number, a city and a postal code."""
    return bool(_HOUSE_NUMBER.search(place.street)) and bool(place.city.strip() and place.postal_code.strip())


def _a2p_sms(data: ServiceData, _address: Address | None, _country: str) -> Refused | None:
    given = (("brand", data.brand), ("use_case", data.use_case), ("opt_in_text", data.opt_in_text))
    refusals = (_given(value, name) for name, value in given)
    missing = next((refusal for refusal in refusals if refusal is not None), None)
    if missing is not None or any(message.strip() for message in data.sample_messages):
        return missing
    return Refused("missing_field", MESSAGES["missing_field"], "sample_messages")


def _cnam(data: ServiceData, _address: Address | None, country: str) -> Refused | None:
    if country not in CNAM_COUNTRIES:
        return Refused(
            "not_supported", "Only numbers of the United States and Canada can show a name.", "service"
        )
    missing = _given(data.display_name, "display_name")
    if missing is not None or CNAM_NAME.fullmatch(data.display_name or ""):
        return missing
    return Refused(
        "bad_format",
        "The name has at most 15 characters: letters, digits, and spaces between them.",
        "display_name",
    )


def _given(value: str | None, field: str) -> Refused | None:
    if value is not None and value.strip():
        return None
    return Refused("missing_field", MESSAGES["missing_field"], field)


_CHECKS: Final[Mapping[AdditionalService, Check]] = {
    "emergency": _emergency,
    "a2p_sms": _a2p_sms,
    "cnam": _cnam,
}
