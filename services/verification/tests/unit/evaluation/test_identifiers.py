"""National identifiers: made-up ones that are known to be right or wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from didflow_verification.domain.evaluation.identifiers import RULES, check_character, match_format

VECTORS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "identifier_vectors.yaml").read_text(encoding="utf-8")
)
VALID = [(v["id"], v["pattern"], value) for v in VECTORS for value in v["valid"]]
INVALID = [(v["id"], v["pattern"], i["value"], i["why"]) for v in VECTORS for i in v["invalid"]]


def verdict(rule: str, pattern: str, value: str) -> str | None:
    """Return the code of a value, as the check of an identity field does."""
    formed = match_format(value, pattern, rule.partition(".")[0].upper())
    return "bad_format" if formed is None else check_character(rule, formed)


@pytest.mark.parametrize(("rule", "pattern", "value"), VALID)
def test_a_valid_identifier_is_accepted(rule: str, pattern: str, value: str) -> None:
    """Its format and its check character are right."""
    assert verdict(rule, pattern, value) is None


@pytest.mark.parametrize(("rule", "pattern", "value", "why"), INVALID)
def test_an_invalid_identifier_is_rejected(rule: str, pattern: str, value: str, why: str) -> None:
    """A wrong check character has its own code, if the rule of the country can tell it from a wrong format."""
    code = verdict(rule, pattern, value)
    assert code is not None
    if why != "wrong check character":
        assert code in {"bad_format", "bad_checksum"}
    else:
        assert code == ("bad_format" if rule == "kr.brn" else "bad_checksum")


def test_every_rule_has_vectors() -> None:
    """Every checksum that a catalogue row may name is tested here."""
    assert {v["id"] for v in VECTORS} == RULES


def test_an_unknown_rule_is_a_defect() -> None:
    """An unknown checksum never passes without notice."""
    with pytest.raises(KeyError):
        check_character("xx.none", "1")


@pytest.mark.parametrize(
    ("value", "pattern", "country", "formed"),
    [
        ("DE 529 420 143", r"^[1-9][0-9]{8}$", "DE", "529420143"),
        ("che-686.521.709", r"^CHE[0-9]{9}$", "CH", "CHE686521709"),
        ("SE556033519101", r"^SE[0-9]{10}01$", "SE", "SE556033519101"),
        ("HRB 12345", r"^HRB ?[0-9]{1,6}$", "DE", "HRB 12345"),
        ("ann@example.org", r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "DE", "ann@example.org"),
        ("FR529420143", r"^[1-9][0-9]{8}$", "DE", None),
        ("529420143\n", r"^[1-9][0-9]{8}$", "DE", "529420143"),
    ],
)
def test_usual_spellings_of_an_identifier_are_accepted(
    value: str, pattern: str, country: str, formed: str | None
) -> None:
    """Spaces, dots, dashes and the country code in front do not matter. The code of another country does."""
    assert match_format(value, pattern, country) == formed
