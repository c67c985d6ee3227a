"""The tables of docs/http.md are those of the code."""

import json
import re
from pathlib import Path

from didflow.services import service
from didflow_chassis.http import openapi_json
from didflow_chassis.http.jobs import jobs_router
from didflow_chassis.http.operators import DeadLetterResponse, ParkedResponse, operator_router
from didflow_chassis.http.problems import PROBLEMS
from didflow_contracts.topics import SERVICES

LINES = (Path(__file__).parent.parent / "docs" / "http.md").read_text().splitlines()


def rows_below(header: str) -> list[list[str]]:
    """Return the cells of the table with this header, without back-ticks."""
    start = next(number for number, line in enumerate(LINES) if line.startswith(header)) + 2
    rows = []
    for line in LINES[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in re.split(r"\|", line)[1:-1]])
    return rows


def test_the_common_error_codes_are_complete():
    """Each code of the chassis has its status and title."""
    expected = [[code, str(status), title] for code, (status, title) in PROBLEMS.items()]
    assert rows_below("| code | status |") == expected


def personal_fields(schema):
    """Return the names of the properties that are marked as personal, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(personal_fields, schema))
    if not isinstance(schema, dict):
        return set()
    marked = {name for name, value in schema.get("properties", {}).items() if value.get("x-personal")}
    return marked.union(*map(personal_fields, schema.values()))


def test_the_personal_fields_are_complete():
    """Each field that is marked in an OpenAPI document is in the table, and no other."""
    marked = personal_fields([json.loads(openapi_json(service(name))) for name in SERVICES])
    listed = {
        name
        for _, names in rows_below("| thing | personal fields |")
        for name in re.findall(r"[a-z_]{4,}", names)
    }
    assert listed - {"file", "and"} == marked


def test_the_routes_of_jobs_are_complete():
    """Each route that every service has for its jobs is in the table, with its method."""
    routes = jobs_router(service("billing")).routes
    expected = [f"{min(route.methods)} {route.path.replace('/billing/', '/<service>/')}" for route in routes]
    assert [route for route, _ in rows_below("| route |")] == expected


def test_the_routes_of_operators_are_complete():
    """Each route that every service has for operators is in the table, with its method."""
    routes = operator_router(service("billing")).routes
    expected = [f"{min(route.methods)} {route.path.replace('/billing/', '/<service>/')}" for route in routes]
    assert [route for route, _ in rows_below("| route of operators |")] == expected


def test_the_fields_of_dead_letters_and_parked_messages_are_named():
    """Each field of the answers is in the section about operators."""
    section = "\n".join(LINES).partition("## Operators")[2].partition("\n## ")[0]
    fields = {*DeadLetterResponse.model_fields, *ParkedResponse.model_fields}
    assert {name for name in fields if f"`{name}`" not in section} == set()
