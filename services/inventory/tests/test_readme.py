"""The README's tables say what the code does."""

import re
from pathlib import Path

from didflow_chassis.settings import PREFIX, Settings
from didflow_contracts.topics import INVENTORY, topics_written_by
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings

SERVICE = service(InventorySettings.placeholder())

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text()
SAID_LATER = {"did.porting_started", "did.porting_ended", "did.withdrawn"}


def table(heading: str) -> dict[str, str]:
    """Read the table under a header row that begins so: first column to second."""
    rows = README.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_tables_of_topics_are_what_is_heard_and_said() -> None:
    """What the README says that inventory reads is what it decides on; what it says is what it may say."""
    read = {name for cell in table("reads") for name in re.findall(r"`([^`]+)`", cell)}
    assert read == {event.topic for event in SERVICE.events}
    said = {name for cell in table("says") for name in re.findall(r"`([^`]+)`", cell)}
    assert said == {topic.name for topic in topics_written_by(INVENTORY)} - SAID_LATER


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
    code = "".join(path.read_text() for path in (HERE / "didflow_inventory" / "domain").glob("*.py"))
    assert {f"`{name}`" for name in re.findall(r'Refused\(\s*"(\w+)"', code)} == set(table("code"))


def test_every_setting_of_its_own_is_in_the_readme() -> None:
    """With its default."""
    own = set(InventorySettings.model_fields) - set(Settings.model_fields)
    defaults = {
        f"`{PREFIX}{name.upper()}`": f"`{InventorySettings.model_fields[name].default}`" for name in own
    }
    assert table("variable") == defaults


def test_every_state_is_in_the_readme() -> None:
    """The kinds of state, by the names of their models."""
    assert {f"`{kind.model.__name__}`" for kind in SERVICE.kinds} == set(table("state"))
