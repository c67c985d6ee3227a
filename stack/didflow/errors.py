"""The errors of a stack, as types with stable codes. A command prints an error in one line and exits with 1."""


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


class Missing(StackError):
    """The given Kafka or PostgreSQL lacks something, and it could not be created."""

    code = "missing"


class DidNotStart(StackError):
    """A part of the stack exited or did not answer during the start."""

    code = "did_not_start"


class CallFailed(StackError):
    """An HTTP request got an error or no answer."""

    code = "call_failed"


class NotIdle(StackError):
    """Messages were still being processed when the time limit passed."""

    code = "not_idle"
