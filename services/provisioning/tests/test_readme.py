"""The README's tables say what the code does."""

import re
from pathlib import Path

from didflow_contracts.topics import PROVISIONING, topics_read_by, topics_written_by
from didflow_provisioning.domain.carrier import TRANSITIONS
from didflow_provisioning.service import service
from didflow_provisioning.settings import ProvisioningSettings

SERVICE = service(ProvisioningSettings.placeholder())

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text()


def table(heading: str) -> dict[str, str]:
    """Read the two-column table under a header row that begins so."""
    rows = README.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_tables_of_topics_are_the_contracts() -> None:
    """What the README says that provisioning reads and says is what the topics' table lists."""
    read = {name for cell in table("reads") for name in re.findall(r"`([^`]+)`", cell)}
    assert read == {topic.name for topic in topics_read_by(PROVISIONING)}
    said = {name for cell in table("says") for name in re.findall(r"`([^`]+)`", cell)}
    assert said == {topic.name for topic in topics_written_by(PROVISIONING)}


def test_the_table_of_states_is_the_codes() -> None:
    """Every way, and no other; the picture shows the same ways."""
    shown = {start: set(re.findall(r"\w+", ends)) for start, ends in table("from").items()}
    assert shown == {state: set(ends) for state, ends in TRANSITIONS.items()}
    drawn = re.findall(r"^    (\w+) --> (\w+):", README, re.MULTILINE)
    assert set(drawn) == {(state, to) for state, ends in TRANSITIONS.items() for to in ends}


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
    """Each code that a decision or a route refuses with, and no invented one."""
    code = "".join(path.read_text() for path in (HERE / "didflow_provisioning").rglob("*.py"))
    named = set(re.findall(r'Refused\(\s*"(\w+)"', code)) | set(re.findall(r'problem\(\d+, "(\w+)"', code))
    assert {f"`{name}`" for name in named} == set(table("code"))
