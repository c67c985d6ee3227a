"""Writes rules as a catalogue file that reads back as the same rules; what has its default is left out."""

from typing import Any

import yaml

from didflow_verification.catalogue.reading import rules_values
from didflow_verification.domain.catalogue.rules import CountryRules


def rules_yaml(rules: CountryRules) -> str:
    """Return a country's rules as one YAML document."""
    values = rules_values(rules)
    values["requirements"] = [_row(row) for row in values["requirements"]]
    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)
    return text


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only some rows, fields and groups have."""
    for name in ("effective_to", "grace_until", "reverify"):
        if not row[name]:
            del row[name]
    for part in ("identity_fields", "documents", "restrictions"):
        row[part] = [{k: v for k, v in each.items() if v not in (None, False, [])} for each in row[part]]
    return row
