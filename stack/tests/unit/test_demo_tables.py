"""The output of the demo, for people and for programs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from didflow.commands import demo
from didflow.demo import tables
from didflow.demo.examples import Purchase
from didflow.demo.results import Found, LineResult
from didflow.demo.scenario import DemoResult
from didflow.tables import laid_out

FOUND = Found(
    numbers={
        "1": {
            "number": "+1",
            "country": "GB",
            "status": "active",
            "status_label": "Active",
            "circle": "green",
            "next_step": {"action": "none", "who": "nobody"},
        }
    },
    refused={},
    charged={},
    automatic=frozenset(),
    dead_letters={},
    repeats={},
)


def verdict(did: str, expect: dict[str, Any], expected: str, found: str) -> LineResult:
    data = {"did_id": did, "number": f"+{did}", "account": "master/acme"}
    purchase = Purchase.model_validate({"event": {"id": did, "data": data}, "expect": expect})
    return LineResult(purchase=purchase, expected=expected, found=found)


VERDICTS = [
    verdict("1", {"status": "active", "next_step": "none"}, "active, none", "active, none"),
    verdict("2", {"status": "active", "next_step": "none"}, "active, none", "not there"),
    verdict("3", {"refused": "number_taken"}, "refused number_taken", "refused number_taken"),
    verdict("1", {"duplicate": True}, "duplicate", "charged 2 times"),
    LineResult(
        purchase=Purchase.model_validate({"raw": b"{", "expect": {"dead_letter": "not_json"}}),
        expected="dead letter not_json",
        found="dead letter not_json",
    ),
]


def test_programs_get_every_line_whatever_its_end() -> None:
    """A missing number, a refusal and an invalid line are lines too."""
    said = tables.as_json(VERDICTS, FOUND, [], 1.23)
    assert (said["passed"], said["seconds"]) == (False, 1.2)
    assert [line["ok"] for line in said["lines"]] == [True, False, True, False, True]
    assert said["lines"][0]["status"] == "active"
    assert "status" not in said["lines"][3]


def test_people_see_what_is_not_as_expected() -> None:
    """Each table names the line and what was expected."""
    lines = [
        *laid_out(tables.NUMBERS, tables.number_rows(VERDICTS, FOUND), 160),
        *laid_out(tables.OTHERS, tables.other_rows(VERDICTS), 160),
    ]
    text = "\n".join("".join(cell.text for cell in line) for line in lines)
    assert text.count("NOT AS EXPECTED") == 2
    assert "not there" in text
    assert "charged 2 times" in text
    assert "a line that is not JSON" in text


def test_in_a_terminal_of_80_columns_each_number_is_one_line() -> None:
    """The country and the circle give way, also to the longest status and next step."""
    did = {
        "status_label": "Delayed Service Removal",
        "next_step": {"action": "assign_end_user_details", "who": "account"},
    }
    found = replace(FOUND, numbers={"1": FOUND.numbers["1"] | did | {"number": "+3531800123456"}})
    lines = [
        "".join(cell.text for cell in line)
        for line in laid_out(tables.NUMBERS, tables.number_rows(VERDICTS[:1], found), 80)
    ]
    assert len(lines) == 2
    assert lines[1].split()[0] == "+3531800123456"
    assert lines[1].endswith("assign_end_user_details  account  as expected")


def test_a_quiet_demo_prints_only_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Two tables and nothing else. What is not as expected beside them goes to standard error."""
    result = DemoResult(verdicts=VERDICTS, unexpected=["billing has dead letters"], found=FOUND, seconds=1.0)
    demo.show(result, json=False, quiet=True)
    captured = capsys.readouterr()
    first, second = captured.out.split("\n\n")
    assert [table.splitlines()[0].split()[0] for table in (first, second)] == ["number", "line"]
    assert len(first.splitlines() + second.splitlines()) == 2 + len(VERDICTS)
    assert captured.err == "billing has dead letters\n"
    demo.show(result, json=False, quiet=False)
    assert "FAILED in 1.0 s" in capsys.readouterr().out


def test_for_programs_standard_output_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """It has what is not as expected, too, and the dead letters."""
    found = replace(FOUND, dead_letters={"billing": {"not_json": 1}})
    result = DemoResult(verdicts=VERDICTS, unexpected=["a fact"], found=found, seconds=1.0)
    demo.show(result, json=True, quiet=False)
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    said = json.loads(line)
    assert (said["unexpected"], said["dead_letters"]) == (["a fact"], {"billing": {"not_json": 1}})
    assert captured.err == ""


def test_the_legend_explains_every_circle_on_one_line() -> None:
    """Green, yellow and red."""
    assert "\n" not in tables.LEGEND
    assert [tables.LEGEND.count(f"[{color}]●") for color in ("green", "yellow", "red")] == [1, 1, 1]
