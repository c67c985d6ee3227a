"""The tables of the README agree with the code."""

import re
from pathlib import Path

from didflow_chassis.commandline import Program
from didflow_chassis.settings import PREFIX, Settings
from didflow_contracts.assignments import REFUSALS
from didflow_contracts.topics import VERIFICATION, topics_read_by, topics_written_by
from didflow_verification.domain.axes.transitions import REGISTRATION, SERVICE_REQUEST
from didflow_verification.service import TOOLS, service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())

HERE = Path(__file__).parents[2]
README = (HERE / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    """Return the first two columns of the table whose first heading is this one."""
    rows = README.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1] for row in cells}


def test_the_tables_of_topics_agree_with_the_contracts() -> None:
    """The README lists exactly the topics that verification reads and writes."""
    read = {name for cell in table("reads") for name in re.findall(r"`([^`]+)`", cell)}
    assert read == {topic.name for topic in topics_read_by(VERIFICATION)}
    published = {name for cell in table("publishes") for name in re.findall(r"`([^`]+)`", cell)}
    assert published == {topic.name for topic in topics_written_by(VERIFICATION)}


def test_the_table_of_registration_states_agrees_with_the_code() -> None:
    """It has every transition and no other."""
    shown = {start: set(re.findall(r"\w+", ends)) for start, ends in table("from").items()}
    assert shown == {state or "start": set(ends) for state, ends in REGISTRATION.items()}


def test_the_tables_of_services_agree_with_the_code() -> None:
    """They have every transition of a request and no other."""
    for heading, name in (("emergency, a2p_sms", "a2p_sms"), ("cnam", "cnam")):
        shown = {start: set(re.findall(r"\w+", ends)) for start, ends in table(heading).items()}
        transitions = SERVICE_REQUEST[name]  # type: ignore[index]
        assert shown == {state or "start": set(ends) for state, ends in transitions.items() if ends}


def test_every_state_is_in_the_readme() -> None:
    """Each kind of state has the name of its model and its table."""
    assert table("state") == {f"`{kind.model.__name__}`": f"`{kind.table.name}`" for kind in SERVICE.kinds}


def test_every_kind_of_job_is_in_the_readme() -> None:
    """Each kind of job has the action of those who may start, see and cancel it."""
    assert table("job") == {f"`{name}`": kind.action for name, kind in SERVICE.jobs.items()}


def test_every_route_is_in_the_readme() -> None:
    """Each path is listed with its method."""
    routes = {
        f"`{method} {route.path}`"
        for router in SERVICE.routers()
        for route in router.routes
        for method in route.methods
    }
    assert routes == set(table("path"))


def test_every_refusal_is_in_the_readme() -> None:
    """Each code of a refusal is listed, and no other."""
    listed = {name for cell in table("code") for name in re.findall(r"`[^`]+`", cell)}
    code = "".join(path.read_text() for path in (HERE / "didflow_verification" / "domain").rglob("*.py"))
    codes = {*re.findall(r'Refused\(\s*"(\w+)"', code), *(refusal.code for refusal in REFUSALS)}
    assert {f"`{name}`" for name in codes} == listed


def test_a_package_of_the_domain_imports_only_those_above_it() -> None:
    """The README lists every package of `domain/`, in the order in which they build on one another."""
    domain, imported = HERE / "didflow_verification" / "domain", r"from didflow_verification\.domain\.(\w+)"
    packages = [cell.strip("`") for cell in table("package")]
    assert sorted(packages) == sorted(path.parent.name for path in domain.glob("*/__init__.py"))
    for position, package in enumerate(packages):
        code = "".join(path.read_text() for path in (domain / package).glob("*.py"))
        found = set(re.findall(imported, code)) & set(packages)
        assert found <= set(packages[: position + 1]), package


def test_every_setting_of_verification_is_in_the_readme() -> None:
    """Each setting is listed with its default."""
    own = set(VerificationSettings.model_fields) - set(Settings.model_fields)
    fields = {name: VerificationSettings.model_fields[name].default for name in own}
    assert table("variable") == {
        f"`{PREFIX}{name.upper()}`": "none" if default is None else f"`{default}`"
        for name, default in fields.items()
    }


def test_the_commands_about_personal_data_are_in_the_readme() -> None:
    """Each command of both groups is listed, and no other."""
    program = Program("verification", service, VerificationSettings)
    groups = {name: TOOLS[name](program) for name in ("documents", "identity")}
    named = {
        f"{name} {command.name or command.callback.__name__}"
        for name, group in groups.items()
        for command in group.registered_commands
        if command.callback
    }
    assert {cell.strip("`").removesuffix(" ID") for cell in table("command")} == named
