"""What others install depends on nothing of ours: neither by its metadata nor by any import."""

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
    """Anyone can install the wheel from PyPI alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {need.partition(">")[0] for need in project["dependencies"]} == {
        "iso4217",
        "msgspec",
        "orjson",
        "phonenumbers",
        "pydantic",
        "uuid-utils",
    }


def test_no_module_imports_ours() -> None:
    """No service, no chassis, no adapter is reached from the contracts."""
    ours = {name for module in MODULES for name in imported(module) if name.startswith("didflow")}
    assert ours == {"didflow_contracts"}


def test_the_wheel_says_that_it_is_typed() -> None:
    """Users' type checkers see the models."""
    assert (ROOT / "didflow_contracts" / "py.typed").exists()
