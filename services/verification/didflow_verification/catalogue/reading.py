"""Reads catalogue files: what is not exactly a catalogue is refused whole, with every fault named."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from didflow_verification.catalogue.faults import faults
from didflow_verification.domain.catalogue.rules import CountryRules

_RULES = TypeAdapter(CountryRules)


class CatalogueError(ValueError):
    """A catalogue file cannot be taken; `faults` says why, one line each."""

    code = "catalogue_invalid"

    def __init__(self, found: list[str]) -> None:
        super().__init__("; ".join(found))
        self.faults = tuple(found)


def read_rules(text: str) -> CountryRules:
    """Read one country's file. Raises CatalogueError."""
    countries = read_catalogue(text)
    if len(countries) != 1:
        raise CatalogueError(["the file has more than one country"])
    return countries[0]


def read_catalogue(text: str) -> tuple[CountryRules, ...]:
    """Read a file with a YAML document for each country. Raises CatalogueError with all that is wrong."""
    try:
        given = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise CatalogueError([str(error)]) from error
    countries: list[CountryRules] = []
    found: list[str] = []
    for each in given:
        try:
            countries.append(_country(each))
        except CatalogueError as error:
            found += error.faults
    names = [rules.country for rules in countries]
    found += [f"{name} comes twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if found or not countries:
        raise CatalogueError(found or ["the file is empty"])
    return tuple(countries)


def _country(given: Any) -> CountryRules:
    try:
        rules = _RULES.validate_python(given)
    except ValidationError as error:
        raise CatalogueError([str(error)]) from error
    found = [*_unknown(given, _RULES.dump_python(rules), ""), *faults(rules)]
    if found:
        raise CatalogueError(found)
    return rules


def packaged() -> tuple[CountryRules, ...]:
    """Return the catalogue that comes with the service, by country. Raises CatalogueError."""
    here = files("didflow_verification.catalogue")
    texts = [file.read_text(encoding="utf-8") for file in here.iterdir() if file.name.endswith(".yaml")]
    return tuple(sorted((read_rules(text) for text in texts), key=lambda rules: rules.country))


def rules_json(rules: CountryRules) -> dict[str, Any]:
    """Return a country's rules as they lie in the `catalogue` table."""
    stored: dict[str, Any] = _RULES.dump_python(rules, mode="json")
    return stored


def rules_values(rules: CountryRules) -> dict[str, Any]:
    """Return a country's rules as plain values, dates as dates, for a catalogue file."""
    values: dict[str, Any] = _plain(_RULES.dump_python(rules))
    return values


def _plain(value: Any) -> Any:
    """Turn tuples into lists, which are what YAML knows."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _unknown(given: Any, taken: Any, path: str) -> Iterator[str]:
    """Name the keys of a file that nothing reads: a misspelt rule must not be a missing one."""
    if isinstance(given, dict) and isinstance(taken, dict):
        for key, value in given.items():
            if key not in taken:
                yield f"{path}{key}: unknown"
            else:
                yield from _unknown(value, taken[key], f"{path}{key}.")
    elif isinstance(given, list):
        for place, (one, other) in enumerate(zip(given, taken, strict=True)):
            yield from _unknown(one, other, f"{path}{place}.")
