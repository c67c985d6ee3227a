"""The errors of a stack, as types with stable codes. A command prints an error in one line and exits with 1."""

from collections.abc import Sequence
from typing import Final

MOST_SHOWN: Final = 20
"""How many ids an error lists."""


class StackError(Exception):
    """An error that the person who runs the command can correct."""

    code = "stack"


class NoStack(StackError):
    """There is no running stack in this data folder."""

    code = "no_stack"


class StackRuns(StackError):
    """A stack already runs in this data folder."""

    code = "stack_runs"


class ClockNotMovable(StackError):
    """The clock of this installation cannot be moved."""

    code = "clock_not_movable"


class BadInput(StackError):
    """An argument cannot be used."""

    code = "bad_input"


class Ambiguous(StackError):
    """Several ids begin with what was given. The message lists them, one on each line."""

    code = "ambiguous"

    def __init__(self, prefix: str, ids: Sequence[str]) -> None:
        shown = "".join(f"\n  {one}" for one in ids[:MOST_SHOWN])
        more = f"\n  and {len(ids) - MOST_SHOWN} more" if len(ids) > MOST_SHOWN else ""
        super().__init__(
            f"{prefix} is the beginning of {len(ids)} ids. Give more of the one that you mean:{shown}{more}"
        )


class NoTerminal(StackError):
    """The command has to ask first, and standard input is not a terminal."""

    code = "no_terminal"


class Missing(StackError):
    """The given Kafka or PostgreSQL lacks something, and it could not be created."""

    code = "missing"


class DidNotStart(StackError):
    """A part of the stack exited or did not answer during the start."""

    code = "did_not_start"


class NoAccount(StackError):
    """The stack has no account with this path."""

    code = "no_account"


class CallFailed(StackError):
    """An HTTP request got an error or no answer."""

    code = "call_failed"


class NotIdle(StackError):
    """Messages were still being processed when the time limit passed."""

    code = "not_idle"
