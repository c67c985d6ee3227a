"""No log line of an adapter has a secret."""

import json
import logging
from typing import Any

import pytest
import structlog

from didflow_adapters.kit.logs import configure_logs


@pytest.fixture(autouse=True)
def _restored() -> Any:
    handlers = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


def test_no_line_has_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the lines of the kit, nor those of libraries, nor the text of an exception or of its cause."""
    configure_logs("INFO")
    own, library = structlog.get_logger(), logging.getLogger("library")
    try:
        try:
            int("hidden-1")
        except ValueError as error:
            raise RuntimeError("https://user:hidden-2@carrier.example") from error
    except RuntimeError:
        own.exception("the carrier's method failed")
        library.exception("failed")
    own.info("asked", url="https://user:hidden-3@carrier.example", password="hidden-4")
    own.info("asked", headers={"Authorization": "hidden-5"}, sent=["Bearer hidden-6"])
    library.warning("to https://user:%s@carrier.example\x1b[0m", "hidden-7")
    printed = capsys.readouterr().err
    lines = [json.loads(line) for line in printed.splitlines()]
    assert len(lines) == 5
    assert "hidden" not in printed
    assert "\x1b" not in printed
    assert "builtins.RuntimeError" in lines[0]["exception"]
    assert "caused by builtins.ValueError" in lines[0]["exception"]
    assert "test_logs.py" in lines[1]["exception"]
