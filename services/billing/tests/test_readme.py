"""The README's tables say what the code does."""

import re
from pathlib import Path

from didflow_billing.domain.term import TRANSITIONS
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_contracts.topics import BILLING, topics_read_by, topics_written_by

SERVICE = service(BillingSettings.placeholder())

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text()


def table(heading: str) -> dict[str, str]:
    """Read the two-column table under a header row that begins so."""
    rows = README.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_tables_of_topics_are_the_contracts() -> None:
    """What the README says that billing reads and says is what the topics' table lists."""
    read = {name for cell in table("reads") for name in re.findall(r"`([^`]+)`", cell)}
    assert read == {topic.name for topic in topics_read_by(BILLING)}
    said = {name for cell in table("says") for name in re.findall(r"`([^`]+)`", cell)}
    assert said == {topic.name for topic in topics_written_by(BILLING)}


def test_the_table_of_states_is_the_codes() -> None:
    """Every way, and no other."""
    shown = {start: set(re.findall(r"\w+", ends)) for start, ends in table("from").items()}
    assert shown == {state or "start": set(ends) for state, ends in TRANSITIONS.items()}


def test_every_route_is_in_the_readme() -> None:
    """The paths of the API, with their methods."""
    routes = {
        f"`{method} {route.path}`"
        for router in SERVICE.routers()
        for route in router.routes
        for method in route.methods
    }
    assert routes == set(table("path"))


def test_every_refusal_is_in_the_readme() -> None:
    """Each code that a decision refuses with, and no invented one."""
    code = "".join(path.read_text() for path in (HERE / "didflow_billing" / "domain").glob("*.py"))
    assert {f"`{name}`" for name in re.findall(r'Refused\(\s*"(\w+)"', code)} == set(table("code"))
