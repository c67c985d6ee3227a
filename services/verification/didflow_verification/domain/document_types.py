"""The types of documents that the catalogue knows, and the data that a document of each type may state.

Both come from the rows of the catalogue in all versions, so a type counts from the load of its row on. It is known if a
group accepts it or a field can be replaced by it; a key is known if a cross-check compares it on such a document.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from didflow_verification.domain.requirements import CountryRules, DocumentGroup, Requirement

_DOCUMENT: Final = "document."


def document_types(countries: Iterable[CountryRules]) -> Mapping[str, tuple[str, ...]]:
    """Return the known types with the keys of their `states`, both in alphabetical order."""
    found: dict[str, set[str]] = {}
    for rules in countries:
        for row in rules.requirements:
            for kind in replacing_types(row):
                found.setdefault(kind, set())
            for group in row.documents:
                for kind in group.accepts:
                    found.setdefault(kind, set()).update(stated_keys(row, group))
    return {kind: tuple(sorted(found[kind])) for kind in sorted(found)}


def stated_keys(row: Requirement, group: DocumentGroup) -> tuple[str, ...]:
    """Return the data of a group's document that the row compares, in the order of its cross-checks."""
    sides = (cross.left.split(".", 2) for cross in row.cross_checks)
    return tuple(dict.fromkeys(key for _, name, key in sides if name == group.group))


def asked_types(row: Requirement) -> frozenset[str]:
    """Return the types of documents that a row asks for."""
    return replacing_types(row) | {kind for group in row.documents for kind in group.accepts}


def replacing_types(row: Requirement) -> frozenset[str]:
    """Return the types of documents that can replace an identity field of a row."""
    paths = (path for field in row.identity_fields for path in field.unless)
    return frozenset(path.removeprefix(_DOCUMENT) for path in paths if path.startswith(_DOCUMENT))
