"""The tables of the README match the code."""

import re
from pathlib import Path

from didflow_contracts.topics import PROVISIONING, topics_read_by, topics_written_by
from didflow_provisioning.domain.carrier_state import TRANSITIONS
from didflow_provisioning.service import service
from didflow_provisioning.settings import ProvisioningSettings

SERVICE = service(ProvisioningSettings.placeholder())
FOLDER = Path(__file__).parents[2]
README = (FOLDER / "README.md").read_text()


def table(heading: str) -> dict[str, str]:
    """Read the first two columns of the table whose header row begins with this heading."""
    rows = README.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_topics_in_the_readme_are_those_of_the_contracts() -> None:
    """The README lists the topics that provisioning receives and publishes."""
    received = {name for cell in table("receives") for name in re.findall(r"`([^`]+)`", cell)}
    assert received == {topic.name for topic in topics_read_by(PROVISIONING)}
    published = {name for cell in table("publishes") for name in re.findall(r"`([^`]+)`", cell)}
    assert published == {topic.name for topic in topics_written_by(PROVISIONING)}


def test_the_carrier_states_in_the_readme_are_those_of_the_code() -> None:
    """The table and the diagram show every transition and no other."""
    listed = {state: set(re.findall(r"\w+", following)) for state, following in table("from").items()}
    assert listed == {state: set(following) for state, following in TRANSITIONS.items()}
    drawn = re.findall(r"^    (\w+) --> (\w+):", README, re.MULTILINE)
    assert set(drawn) == {(state, to) for state, following in TRANSITIONS.items() for to in following}


def test_every_route_is_in_the_readme() -> None:
    """The README lists the method and path of every route."""
    routes = {
        f"`{method} {route.path}`"
        for router in SERVICE.routers()
        for route in router.routes
        for method in route.methods
    }
    assert routes == set(table("path"))


def test_every_refusal_code_is_in_the_readme() -> None:
    """The README lists every code that a decision or a route refuses with, and no other."""
    code = "".join(path.read_text() for path in (FOLDER / "didflow_provisioning").rglob("*.py"))
    codes = set(re.findall(r'Refused\(\s*"(\w+)"', code))
    codes |= set(re.findall(r'problem\(\s*\d+,\s*"(\w+)"', code))
    assert {f"`{name}`" for name in codes} == set(table("code"))
