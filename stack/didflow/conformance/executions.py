"""The log of executions: the commands that the carrier behind the adapter has executed, one JSON object in each line.

Only `command_id` is read. The order of the lines is the order of the executions. Source: docs/conformance.md.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import orjson

from didflow.errors import BadInput


class ExecutionLog:
    """Reads the log. A file that does not exist yet is an empty log."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def commands(self) -> Sequence[UUID]:
        """Return the `command_id` of each execution, in their order. Raises BadInput for a line of another form."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        return [self._command_id(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def _command_id(self, number: int, line: bytes) -> UUID:
        try:
            return UUID(orjson.loads(line)["command_id"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            raise BadInput(
                f"Line {number} of {self._path} is not a JSON object with a command_id, "
                'such as {"command_id": "0190a5b6-7c00-7000-8000-000000000001"}.'
            ) from None
