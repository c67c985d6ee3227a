"""The tables of the README agree with the code."""

import re
from pathlib import Path

from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_contracts.topics import BILLING, topics_read_by, topics_written_by

SERVICE = service(BillingSettings.placeholder())

HERE = Path(__file__).parents[2]
README = (HERE / "README.md").read_text()


def table(heading: str) -> dict[str, str]:
    """Return the two-column table whose header starts with this heading: first column -> second column."""
    rows = README.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_readme_lists_the_topics_of_the_contracts() -> None:
    """The topics that billing reads and publishes are in the README."""
    read = {name for cell in table("reads") for name in re.findall(r"`([^`]+)`", cell)}
    assert read == {topic.name for topic in topics_read_by(BILLING)}
    published = {name for cell in table("publishes") for name in re.findall(r"`([^`]+)`", cell)}
    assert published == {topic.name for topic in topics_written_by(BILLING)}


def test_every_route_is_in_the_readme() -> None:
    """The README lists each path with its method."""
    routes = {
        f"`{method} {route.path}`"
        for router in SERVICE.routers()
        for route in router.routes
        for method in route.methods
    }
    assert routes == set(table("path"))


def test_every_refusal_is_in_the_readme() -> None:
    """The README lists every refusal code, and no other."""
    code = "".join(path.read_text() for path in (HERE / "didflow_billing" / "domain").rglob("*.py"))
    assert {f"`{name}`" for name in re.findall(r'Refused\(\s*"(\w+)"', code)} == set(table("code"))
