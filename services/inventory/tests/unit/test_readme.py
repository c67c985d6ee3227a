"""The tables of the README are compared with the code."""

import ast
import re
from pathlib import Path

from didflow_chassis.settings import PREFIX, Settings
from didflow_contracts.assignments import REFUSALS
from didflow_contracts.topics import INVENTORY, topics_written_by
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings

SERVICE = service(InventorySettings.placeholder())

HERE = Path(__file__).parents[2]
README = (HERE / "README.md").read_text()
ROOT = HERE.parents[1]
DOMAIN = HERE / "didflow_inventory" / "domain"


def table(heading: str) -> dict[str, str]:
    """Return the table whose header row begins with this cell: first column to second column."""
    return {row[0]: row[1] for row in rows(heading)}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose header row begins with this cell."""
    lines = README.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names_of_tests(name: str) -> set[str]:
    """Return the names of the tests of a file, which is named below `tests/` or from the root of the repository."""
    path = HERE / "tests" / name
    tree = ast.parse((path if path.exists() else ROOT / name).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {each.name for each in tree.body if isinstance(each, functions) and each.name.startswith("test_")}


def topics_of(heading: str) -> set[str]:
    """Return the topics in the first column of a table."""
    return {name for cell in table(heading) for name in re.findall(r"`([^`]+)`", cell)}


def test_the_readme_lists_the_topics_that_inventory_receives_and_publishes() -> None:
    """The received topics are those with a handler; the published ones are those that it may write."""
    assert topics_of("receives") == set(SERVICE.topics_read)
    written = {topic.name for topic in topics_written_by(INVENTORY)}
    assert topics_of("publishes") == written


def test_the_readme_lists_every_route() -> None:
    """Each route stands with its method and its path."""
    routes = {
        f"`{method} {route.path_format}`"
        for router in SERVICE.routers()
        for route in router.routes
        for method in route.methods
    }
    assert routes == set(table("path"))


def test_the_readme_lists_every_refusal_code() -> None:
    """It lists each code of a refusal in the domain, and no other."""
    code = "".join(path.read_text() for path in DOMAIN.rglob("*.py"))
    codes = {*re.findall(r'Refused\(\s*"(\w+)"', code), *(refusal.code for refusal in REFUSALS)}
    assert {f"`{name}`" for name in codes} == set(table("code"))


def test_the_readme_lists_every_setting_of_inventory() -> None:
    """Each setting stands with its default."""
    own = set(InventorySettings.model_fields) - set(Settings.model_fields)
    defaults = {
        f"`{PREFIX}{name.upper()}`": f"`{InventorySettings.model_fields[name].default}`" for name in own
    }
    assert table("variable") == defaults


def test_the_readme_lists_every_state() -> None:
    """The states are listed by the names of their classes."""
    assert {f"`{kind.model.__name__}`" for kind in SERVICE.kinds} == set(table("state"))


def test_the_readme_lists_every_module_of_the_domain() -> None:
    """A module that is added or renamed is listed in the README."""
    modules = {f"`{path.relative_to(DOMAIN)}`" for path in DOMAIN.rglob("[a-z]*.py")}
    assert modules == set(table("module"))


def test_each_expectation_of_number_managers_is_shown_by_tests_that_exist() -> None:
    """Every row names one or more tests, each by its file and its function."""
    for expectation, behaviour, tests in rows("expectation"):
        named = re.findall(r"`([^`]+)::([^`]+)`", tests)
        assert "" not in (expectation, behaviour)
        assert named, expectation
        assert ", ".join(f"`{file}::{name}`" for file, name in named) == tests, expectation
        missing = [f"{file}::{name}" for file, name in named if name not in names_of_tests(file)]
        assert missing == [], expectation
