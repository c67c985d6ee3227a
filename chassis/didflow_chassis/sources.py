"""The registered sources in force: the file that the setting names, read again when it changes.

A file that becomes invalid changes nothing: the sources that were read last stay in force.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from didflow_chassis.setting_sources import PREFIX, SettingsError
from didflow_chassis.settings import Settings
from didflow_contracts.sources import OPEN, Sources, Unregistered, read_sources

LOOK_AGAIN_S: Final = 10.0
"""How long the file is not looked at again. Source: spec events, Sources: a change is in force within 30 s."""
MAX_BYTES: Final = 5_000_000
_LOG = logging.getLogger(__name__)

InForce = Callable[[], Sources]
"""Returns the sources in force."""


def open_sources() -> Sources:
    """Return sources of which none is registered and each may say everything that its topics allow."""
    return OPEN


class SourcesFile:
    """The sources of a file. Raises SettingsError if it cannot be read or is not valid."""

    def __init__(
        self, path: Path | None, unregistered: Unregistered, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._unregistered = unregistered
        self._clock = clock
        self._text = b""
        self._sources = Sources(unregistered=unregistered)
        self._look_at = clock() + LOOK_AGAIN_S
        self._problem: str | None = None
        try:
            self._read()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{PREFIX}SOURCES_FILE {_problem(error)}") from None

    def __call__(self) -> Sources:
        """Return the sources in force. Reads the file if it was not looked at for some seconds."""
        now = self._clock()
        if self._path is not None and now >= self._look_at:
            self._look_at = now + LOOK_AGAIN_S
            self._read_again()
        return self._sources

    def _read_again(self) -> None:
        try:
            self._read()
        except (OSError, ValueError) as error:
            problem = _problem(error)
            if problem != self._problem:
                _LOG.error(
                    "The registered sources cannot be read; the last ones stay", extra={"error": problem}
                )
            self._problem = problem
        else:
            self._problem = None

    def _read(self) -> None:
        if self._path is None:
            return
        with self._path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ValueError(f"The file has more than {MAX_BYTES} bytes.")
        if text != self._text:
            self._sources = Sources(read_sources(text), unregistered=self._unregistered)
            self._text = text
            _LOG.info("Registered sources were read", extra={"sources": len(self._sources.registered)})


def sources_of(settings: Settings) -> SourcesFile:
    """Return the sources that the settings name. Raises SettingsError."""
    return SourcesFile(settings.sources_file, settings.policy_for_unregistered)


def _problem(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {type(error).__name__}"
    return f"is not valid: {error}"
