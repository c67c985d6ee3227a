"""The contracts depend on no other didflow package, neither by metadata nor by imports."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "didflow_contracts").rglob("*.py"))


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def test_the_distribution_depends_on_listed_libraries_only() -> None:
    """Anyone can install the package from PyPI."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {need.partition(">")[0] for need in project["dependencies"]} == {
        "iso4217",
        "msgspec",
        "orjson",
        "phonenumbers",
        "pydantic",
        "uuid-utils",
    }


def test_no_module_imports_another_didflow_package() -> None:
    """No service, chassis or adapter is imported."""
    ours = {name for module in MODULES for name in imported(module) if name.startswith("didflow")}
    assert ours == {"didflow_contracts"}


def test_the_package_is_marked_as_typed() -> None:
    """Type checkers of users see the types."""
    assert (ROOT / "didflow_contracts" / "py.typed").exists()
