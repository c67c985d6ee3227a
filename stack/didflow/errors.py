"""What can go wrong with a stack, as types with stable codes; each is said in one line and ends with exit code 1."""


class StackError(Exception):
    """Something that the person at the keyboard can put right."""

    code = "stack"


class NoStack(StackError):
    """No stack runs in this data folder."""

    code = "no_stack"


class StackRuns(StackError):
    """A stack runs in this data folder already."""

    code = "stack_runs"


class ClockNotMovable(StackError):
    """Only the embedded stack's clock can be moved."""

    code = "clock_not_movable"


class BadInput(StackError):
    """An argument cannot be used."""

    code = "bad_input"


class Missing(StackError):
    """A given Kafka or PostgreSQL lacks something that could not be made there."""

    code = "missing"


class DidNotStart(StackError):
    """A part of the stack ended or stayed silent while it started."""

    code = "did_not_start"


class CallFailed(StackError):
    """An HTTP call was answered with an error, or not at all."""

    code = "call_failed"


class NotIdle(StackError):
    """Something went on, or waited, for longer than it should."""

    code = "not_idle"
