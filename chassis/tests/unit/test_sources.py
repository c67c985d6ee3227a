"""The file of registered sources: read at start, and again when it changes."""

import logging
from pathlib import Path

import orjson
import pytest

from didflow_chassis.setting_sources import SettingsError
from didflow_chassis.settings import Settings
from didflow_chassis.sources import LOOK_AGAIN_S, SourcesFile, sources_of

ACME = {"prefix": "/orders/acme", "kind": "order_system", "accounts": ["master/acme"]}


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self) -> None:
        """Move to the instant at which the file is looked at again."""
        self.now += LOOK_AGAIN_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with one registered source."""
    file = tmp_path / "sources.json"
    file.write_bytes(orjson.dumps([ACME]))
    return file


def prefixes(file: SourcesFile) -> list[str]:
    return [source.prefix for source in file().registered]


def test_a_changed_file_is_in_force_without_a_restart(path: Path) -> None:
    """It is looked at again after some seconds, not for every message."""
    clock = Clock()
    file = SourcesFile(path, "closed", clock)
    assert prefixes(file) == ["/orders/acme"]
    path.write_bytes(orjson.dumps([ACME, ACME | {"prefix": "/orders/blue"}]))
    assert prefixes(file) == ["/orders/acme"]
    clock.wait()
    assert prefixes(file) == ["/orders/acme", "/orders/blue"]


@pytest.mark.parametrize("broken", [b"[", b"{}", b'[{"prefix": "/orders/x"}]', b"\xff"])
def test_a_file_that_becomes_invalid_changes_nothing_and_is_logged_once(
    path: Path, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The sources that were read last stay in force until the file is valid again."""
    clock = Clock()
    file = SourcesFile(path, "closed", clock)
    path.write_bytes(broken)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            clock.wait()
            assert prefixes(file) == ["/orders/acme"]
    assert len(caplog.records) == 1
    path.write_bytes(b"[]")
    clock.wait()
    assert prefixes(file) == []


def test_a_file_that_is_removed_changes_nothing(path: Path) -> None:
    """A mount that is replaced is missing for a moment."""
    clock = Clock()
    file = SourcesFile(path, "closed", clock)
    path.unlink()
    clock.wait()
    assert prefixes(file) == ["/orders/acme"]


def test_a_process_does_not_start_with_a_file_that_is_not_valid(path: Path, tmp_path: Path) -> None:
    """The error names the setting and the place."""
    path.write_bytes(orjson.dumps([ACME | {"kind": "order"}]))
    with pytest.raises(SettingsError, match=r"DIDFLOW_SOURCES_FILE is not valid: 0\.kind"):
        SourcesFile(path, "closed")
    with pytest.raises(SettingsError, match="DIDFLOW_SOURCES_FILE cannot be read: FileNotFoundError"):
        SourcesFile(tmp_path / "none.json", "closed")


@pytest.mark.parametrize(
    ("production", "given", "expected"),
    [(True, None, "closed"), (False, None, "open"), (True, "open", "open"), (False, "closed", "closed")],
)
def test_unregistered_sources_say_nothing_in_production(
    production: bool, given: str | None, expected: str
) -> None:
    """Unless the setting allows it."""
    chosen = {} if given is None else {"unregistered_sources": given}
    settings = Settings(kafka="k:1", postgres="postgresql://u@h/d", production=production, **chosen)  # type: ignore[arg-type]
    assert sources_of(settings)().unregistered == expected
