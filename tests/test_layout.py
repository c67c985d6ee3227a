"""The four services have the same layout, test files lie in the folder of what they need, and modules are nouns.

The layout is the table in docs/architecture.md, "Layout of a service". This test reads it there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from harness.folders import ALLOWED

from didflow.services import SERVICES, service

ROOT = Path(__file__).parent.parent
ARCHITECTURE = ROOT / "docs" / "architecture.md"
HEADING = "## Layout of a service"

MORE = {
    "inventory": frozenset({"commandline.py"}),
    "provisioning": frozenset({"commandline.py"}),
    "verification": frozenset({"catalogue", "commandline.py", "documents", "erasure", "spread.py"}),
}
"""Service -> what only this service has in its package, besides the layout."""

DISTRIBUTIONS = (
    "contracts",
    "webhooks",
    "chassis",
    "adapters",
    "stack",
    *(f"services/{name}" for name in SERVICES),
)
FOLDERS = frozenset({"unit", "postgres", "kafka"})
"""The folders of tests. Only the stack has one more, for the tests that start it."""

NOUNS = frozenset(
    {
        "billing",
        "embedded",
        "holding",
        "listing",
        "pacing",
        "parked",
        "porting",
        "pricing",
        "provisioning",
        "routing",
        "testing",
        "timing",
        "tracing",
    }
)
"""Words in -ing and -ed that name a thing: a service, an axis, a table, a kind of server."""

NOT_NOUNS = re.compile(
    r"asked|base|common|desk|heard|helpers?|hears?|kept|laid|led|manager|misc|once|paid|said|says|shown|stor(y|ies)|told"
    r"|utils?|wish(es)?|\w+ing|\w+ed"
)
"""Verb forms, metaphors, and names that fit every module."""


def layout() -> frozenset[str]:
    """Return the paths of the table of the layout, relative to the package of a service."""
    section = ARCHITECTURE.read_text().split(HEADING, 1)[1].split("\n## ", 1)[0]
    return frozenset(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def package(name: str) -> Path:
    """Return the folder of a service's package."""
    return ROOT / "services" / name / f"didflow_{name}"


def names_in(folder: Path) -> set[str]:
    """Return the names of the modules and packages in a folder."""
    return {path.name for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def wrong_names(paths: Iterable[Path]) -> list[str]:
    """Return the modules and packages whose last word is no noun."""
    return [str(path) for path in paths if not is_noun(path.stem.rpartition("_")[2])]


def is_noun(word: str) -> bool:
    """Return False for a word that cannot name a module."""
    return word in NOUNS or not NOT_NOUNS.fullmatch(word)


def modules() -> Iterator[Path]:
    """Yield every module and package of the repository but test files and migrations, relative to its root."""
    for top in (*DISTRIBUTIONS, "bench", "tests"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT)
            if "versions" in parts.parts or path.name.startswith(("test_", "__")):
                continue
            yield parts
            yield from (folder for folder in parts.parents if folder.name)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_the_files_of_the_layout(name: str) -> None:
    """Every path of the table exists. `api/` may have its bodies and responses in sub-packages instead."""
    missing = {path for path in layout() if not any(package(name).glob(path))}
    in_parts = {path for path in missing if any(package(name).glob(path.replace("api/", "api/*/")))}
    about = service(name)
    optional = {"domain/timers.py"} if not about.due else set()
    optional |= {"jobs.py"} if not about.jobs else set()
    assert missing - in_parts - optional == set()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_other_files_at_the_top(name: str) -> None:
    """What is not in the table is listed in `MORE`."""
    expected = {path.split("/", 1)[0] for path in layout()} | MORE.get(name, frozenset())
    assert names_in(package(name)) <= expected


@pytest.mark.parametrize("name", SERVICES)
def test_what_was_never_released_has_one_migration(name: str) -> None:
    """The changelog lists the releases. Before the first one, a change of a table is a change of the first version."""
    if re.search(r"^## \[?\d", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE):
        pytest.skip("There is a release. Its migrations do not change any more.")
    versions = package(name) / "migrations" / "versions"
    assert [path.name for path in versions.glob("*.py")] == ["0001_first_version.py"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_tests_lie_in_the_folder_of_what_they_need(distribution: str) -> None:
    """Each test file is in `unit/`, `postgres/` or `kafka/`. `harness.folders` checks what it uses."""
    allowed = FOLDERS | {"stack"} if distribution == "stack" else FOLDERS
    tests = ROOT / distribution / "tests"
    found = {path.relative_to(tests).parts[0] for path in tests.rglob("test_*.py")}
    assert found <= allowed
    assert allowed <= set(ALLOWED)


def test_modules_are_named_after_things() -> None:
    """No name of a module or package ends in a verb form, a metaphor or a word that fits every module."""
    assert wrong_names(sorted(set(modules()))) == []


@pytest.mark.parametrize("name", ["said", "on_paid", "stories", "deciding", "merged", "utils", "wish"])
def test_a_name_that_is_no_noun_is_found(name: str) -> None:
    """The rule looks at the last word."""
    assert wrong_names([Path(f"{name}.py")]) == [f"{name}.py"]


@pytest.mark.parametrize("name", ["routing", "decided_state", "parked", "history"])
def test_a_noun_is_accepted(name: str) -> None:
    """Also a noun in -ing, and a participle in front of a noun."""
    assert wrong_names([Path(f"{name}.py")]) == []


def test_no_word_of_the_glossary_has_two_meanings() -> None:
    """Each word has one row."""
    rows = re.findall(r"^\| ([^|]+?) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = [word for word in rows if word not in {"word", "---"}]
    assert [word for word, count in Counter(words).items() if count > 1] == []
