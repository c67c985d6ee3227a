"""The README's tables say what the code does."""

import re
from pathlib import Path

from didflow_chassis.commandline import Program
from didflow_chassis.settings import PREFIX, Settings
from didflow_contracts.topics import VERIFICATION, topics_read_by, topics_written_by
from didflow_verification.domain.axes.registration import TRANSITIONS
from didflow_verification.domain.axes.service_request import TRANSITIONS as SERVICE_WAYS
from didflow_verification.service import TOOLS, service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    """Read the table under a header row that begins so: first column to second."""
    rows = README.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_tables_of_topics_are_the_contracts() -> None:
    """What the README says that verification reads and says is what the topics' table lists."""
    read = {name for cell in table("reads") for name in re.findall(r"`([^`]+)`", cell)}
    assert read == {topic.name for topic in topics_read_by(VERIFICATION)}
    said = {name for cell in table("says") for name in re.findall(r"`([^`]+)`", cell)}
    assert said == {topic.name for topic in topics_written_by(VERIFICATION)}


def test_the_table_of_states_is_the_codes() -> None:
    """Every way, and no other."""
    shown = {start: set(re.findall(r"\w+", ends)) for start, ends in table("from").items()}
    assert shown == {state or "start": set(ends) for state, ends in TRANSITIONS.items()}


def test_the_tables_of_services_are_the_codes() -> None:
    """Every way of a request, and no other."""
    for heading, product in (("emergency, a2p_sms", "a2p_sms"), ("cnam", "cnam")):
        shown = {start: set(re.findall(r"\w+", ends)) for start, ends in table(heading).items()}
        ways = SERVICE_WAYS[product]  # type: ignore[index]
        assert shown == {state or "start": set(ends) for state, ends in ways.items() if ends}


def test_every_state_is_in_the_readme() -> None:
    """The kinds of state, by the names of their models, with their tables."""
    assert table("state") == {f"`{kind.model.__name__}`": f"`{kind.table.name}`" for kind in SERVICE.kinds}


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
    codes = {name for cell in table("code") for name in re.findall(r"`[^`]+`", cell)}
    code = "".join(path.read_text() for path in (HERE / "didflow_verification" / "domain").rglob("*.py"))
    assert {f"`{name}`" for name in re.findall(r'Refused\(\s*"(\w+)"', code)} == codes


def test_every_room_of_the_domain_rests_on_those_above() -> None:
    """The README lists every folder, and none imports one that stands below it."""
    domain, ours = HERE / "didflow_verification" / "domain", r"from didflow_verification\.domain\.(\w+)"
    rooms = [cell.strip("`") for cell in table("room")]
    assert sorted(rooms) == sorted(path.parent.name for path in domain.glob("*/__init__.py"))
    for place, room in enumerate(rooms):
        code = "".join(path.read_text() for path in (domain / room).glob("*.py"))
        assert set(re.findall(ours, code)) <= set(rooms[: place + 1]), room


def test_every_setting_of_its_own_is_in_the_readme() -> None:
    """With its default."""
    own = set(VerificationSettings.model_fields) - set(Settings.model_fields)
    fields = {name: VerificationSettings.model_fields[name].default for name in own}
    assert table("variable") == {
        f"`{PREFIX}{name.upper()}`": "none" if default is None else f"`{default}`"
        for name, default in fields.items()
    }


def test_the_commands_of_personal_data_are_in_the_readme() -> None:
    """All of both groups, and no other."""
    program = Program("verification", service, VerificationSettings)
    groups = {name: TOOLS[name](program) for name in ("documents", "identity")}
    named = {
        f"{name} {command.name or command.callback.__name__}"
        for name, group in groups.items()
        for command in group.registered_commands
        if command.callback
    }
    assert {cell.strip("`").removesuffix(" ID") for cell in table("command")} == named
