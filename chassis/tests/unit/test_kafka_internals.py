"""Private parts of aiokafka and FastStream are used in one folder only, with versions that were tested."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faststream.kafka import KafkaBroker

from didflow_chassis import kafka_internals
from didflow_chassis.kafka_internals import check_versions, fetch_sessions
from didflow_chassis.kafka_internals.versions import UnsupportedVersion

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "chassis" / "didflow_chassis" / "kafka_internals"
LIBRARIES = ("aiokafka", "faststream")
PUBLIC_BASES = frozenset({"ConsumerRebalanceListener"})
"""Classes of these libraries that are documented as base classes."""
OF_THE_LIBRARIES = frozenset({*dir(AIOKafkaConsumer), *dir(AIOKafkaProducer), *dir(KafkaBroker)})
"""Attributes of the objects that these libraries give out."""


def modules() -> Iterator[Path]:
    """Every module of the project that is not a test."""
    for top in ("chassis", "adapters", "services", "stack", "bench", "contracts"):
        for path in (ROOT / top).rglob("*.py"):
            if "tests" not in path.parts and FOLDER not in path.parents:
                yield path


def imported_names(tree: ast.Module) -> set[str]:
    """The names that a module imports from the libraries."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {a.asname or a.name for a in node.names if a.name.split(".")[0] in LIBRARIES}
    return names


def private_uses(source: str) -> list[str]:
    """The uses of private parts of the libraries in a module, each with its line number."""
    tree = ast.parse(source)
    imported = imported_names(tree)
    if not imported:
        return []
    found = [f"imports {name}" for name in imported if name.startswith("_")]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            found += [f"line {node.lineno}: subclass of {base}" for base in bases & imported - PUBLIC_BASES]
        elif isinstance(node, ast.Assign):
            targets = [t for t in node.targets if isinstance(t, ast.Attribute) and not is_own(t.value)]
            found += [
                f"line {t.lineno}: replaces {t.attr}"
                for t in targets
                if t.attr in OF_THE_LIBRARIES or (isinstance(t.value, ast.Name) and t.value.id in imported)
            ]
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            found += [] if is_own(node.value) else [f"line {node.lineno}: uses {node.attr}"]
    return found


def is_own(value: ast.expr) -> bool:
    """Return True for an object of the module itself: `self`, `self._part`, `cls`, `after`."""
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id in ("self", "cls", "after")


def test_private_parts_are_used_in_one_folder_only():
    """No other module imports a private name, subclasses an internal class, or replaces an attribute."""
    found = {str(path.relative_to(ROOT)): private_uses(path.read_text()) for path in modules()}

    assert {path: uses for path, uses in found.items() if uses} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from aiokafka.record.default_records import _DefaultRecordPy",
        "from aiokafka.consumer import consumer\nconsumer.Fetcher = object",
        "from aiokafka.consumer.fetcher import Fetcher\nclass Other(Fetcher): pass",
        "from aiokafka import AIOKafkaProducer\ndef stop(p): p._message_accumulator.fail_all()",
        "from faststream.kafka import KafkaBroker\ndef start(c): c.getmany = None",
    ],
)
def test_a_private_use_is_found(line):
    """Each way of using private parts is recognized by the test above."""
    assert private_uses(line)


def test_every_module_of_the_folder_lists_its_versions():
    """`check_versions` covers every module that depends on private parts."""
    listed = {module.__name__.rpartition(".")[2] for module in kafka_internals.MODULES}

    assert listed == {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "versions"}
    assert all(
        module.FITS and "ublic interface that would replace" in (module.__doc__ or "")
        for module in kafka_internals.MODULES
    )


def test_another_version_is_refused_with_a_message_that_says_what_to_install(monkeypatch):
    """The message names the installed version, the module and a version that fits."""
    check_versions()
    monkeypatch.setattr(fetch_sessions, "FITS", {"aiokafka": {"0.1.0"}})

    with pytest.raises(UnsupportedVersion) as refused:
        check_versions()

    assert "aiokafka 0." in str(refused.value)
    assert "didflow_chassis.kafka_internals.fetch_sessions" in str(refused.value)
    assert "Install aiokafka==0.1.0." in str(refused.value)
