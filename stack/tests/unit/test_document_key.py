"""The key for a stack's documents. It is created once, and only its owner can read it."""

import os
from pathlib import Path

import pytest

from didflow.document_key import FILES, VARIABLE, document_key
from didflow_chassis.encryption import Keyring
from didflow_chassis.settings import load
from didflow_verification.settings import VerificationSettings

FILE = f"{VARIABLE}_FILE"


def keyring() -> Keyring | None:
    """Return the keys that verification reads from the environment."""
    return load(VerificationSettings, kafka="127.0.0.1:1", postgres="postgresql://127.0.0.1:1/d").keyring()


@pytest.fixture(autouse=True)
def _no_key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the key from the environment."""
    for variable in FILES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)


def test_a_folder_keeps_its_key(tmp_path: Path) -> None:
    """The second start uses the key of the first one. Afterwards the environment is unchanged."""
    with document_key(tmp_path):
        first = keyring()
        assert Path(os.environ[FILE]).stat().st_mode & 0o777 == 0o600
    assert FILE not in os.environ
    with document_key(tmp_path):
        second = keyring()
    assert first is not None
    assert second == first
    other = tmp_path / "other"
    other.mkdir()
    with document_key(other):
        assert keyring() != first


def test_a_key_in_the_environment_is_used_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is created and nothing is changed."""
    for variable in FILES:
        monkeypatch.setenv(variable, f"mine:{'A' * 43}=")
    with document_key(tmp_path):
        ring = keyring()
    assert ring is not None
    assert (ring.current, list(tmp_path.iterdir())) == ("mine", [])
