"""Reads and writes catalogue files. A file with any fault is refused as a whole, and every fault is listed."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from didflow_verification.catalogue.validation import faults
from didflow_verification.domain.requirements import CountryRules

_RULES = TypeAdapter(CountryRules)


class CatalogueError(ValueError):
    """A catalogue file is not valid. `faults` are the reasons, one line each."""

    code = "catalogue_invalid"

    def __init__(self, found: list[str]) -> None:
        super().__init__("; ".join(found))
        self.faults = tuple(found)


def read_rules(text: str) -> CountryRules:
    """Read the file of one country. Raises CatalogueError."""
    countries = read_catalogue(text)
    if len(countries) != 1:
        raise CatalogueError(["The file has more than one country."])
    return countries[0]


def read_catalogue(text: str) -> tuple[CountryRules, ...]:
    """Read a file with one YAML document for each country. Raises CatalogueError with all faults."""
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
    found += [f"{name} appears twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if found or not countries:
        raise CatalogueError(found or ["The file is empty."])
    return tuple(countries)


def _country(given: Any) -> CountryRules:
    try:
        rules = _RULES.validate_python(given)
    except ValidationError as error:
        raise CatalogueError([str(error)]) from error
    found = [*_unknown_keys(given, _RULES.dump_python(rules), ""), *faults(rules)]
    if found:
        raise CatalogueError(found)
    return rules


def _unknown_keys(given: Any, read: Any, path: str) -> Iterator[str]:
    """Yield the keys of a file that are not read. A misspelt key would otherwise drop a rule without notice."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            if key not in read:
                yield f"{path}{key}: unknown key"
            else:
                yield from _unknown_keys(value, read[key], f"{path}{key}.")
    elif isinstance(given, list):
        for position, (one, other) in enumerate(zip(given, read, strict=True)):
            yield from _unknown_keys(one, other, f"{path}{position}.")


def packaged() -> tuple[CountryRules, ...]:
    """Return the catalogue that comes with the service, by country. Raises CatalogueError."""
    here = files("didflow_verification.catalogue")
    texts = [file.read_text(encoding="utf-8") for file in here.iterdir() if file.name.endswith(".yaml")]
    return tuple(sorted((read_rules(text) for text in texts), key=lambda rules: rules.country))


def rules_json(rules: CountryRules) -> dict[str, Any]:
    """Return the rules of a country as they are stored in the `catalogue` table."""
    stored: dict[str, Any] = _RULES.dump_python(rules, mode="json")
    return stored


def rules_yaml(rules: CountryRules) -> str:
    """Return the rules of a country as one YAML document. Reading it returns the same rules."""
    values: dict[str, Any] = _plain(_RULES.dump_python(rules))
    values["requirements"] = [_without_defaults(row) for row in values["requirements"]]
    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)
    return text


def _plain(value: Any) -> Any:
    """Return the value with lists instead of tuples, which YAML does not have."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _without_defaults(row: dict[str, Any]) -> dict[str, Any]:
    """Remove the keys of a row that have their default value."""
    for name in ("effective_to", "grace_until", "reverify"):
        if not row[name]:
            del row[name]
    for part in ("identity_fields", "documents", "restrictions"):
        row[part] = [{k: v for k, v in each.items() if v not in (None, False, [])} for each in row[part]]
    return row
