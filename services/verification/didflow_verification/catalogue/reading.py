"""Reads catalogue files: what is not exactly a catalogue is refused whole, with every fault named."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from didflow_verification.catalogue.faults import faults
from didflow_verification.domain.catalogue import CountryRules

_RULES = TypeAdapter(CountryRules)


class CatalogueError(ValueError):
    """A catalogue file cannot be taken; `faults` says why, one line each."""

    code = "catalogue_invalid"

    def __init__(self, found: list[str]) -> None:
        super().__init__("; ".join(found))
        self.faults = tuple(found)


def read_rules(text: str) -> CountryRules:
    """Read one country's file. Raises CatalogueError."""
    try:
        given = yaml.safe_load(text)
        rules = _RULES.validate_python(given)
    except (yaml.YAMLError, ValidationError) as error:
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
