"""The line for each dead letter that was retried or dropped."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from didflow.dead_letters import Handled
    from didflow_chassis.dead_letters import Outcome

_DONE: Final = {
    "retried": "retried",
    "dropped": "dropped",
    "unchanged": "nothing to do: this was done before",
    "already_retried": "nothing to do: it was retried before. If it failed again, it has a new id",
    "already_dropped": "nothing to do: it was dropped before",
    "not_found": "nothing to do: there is no such dead letter",
    "truncated": "refused (truncated): only a part of the record was stored, so it cannot be retried",
}


def outcome_row(handled: "Handled", outcome: "Outcome | None") -> tuple[str, str, str, str]:
    """Return id, service and outcome in words. The last cell is the new id of a record that is dead again."""
    again = str(outcome.letter.id) if outcome and outcome.letter else ""
    text = _DONE[handled.outcome] if outcome is None else f"retried: {_became(outcome)}"
    return str(handled.id), handled.service, text, again


def is_bad(handled: "Handled", outcome: "Outcome | None") -> bool:
    """Return True if the record is dead again, or could not be retried."""
    return handled.outcome == "truncated" or (outcome is not None and outcome.state == "dead")


def _became(outcome: "Outcome") -> str:
    if outcome.letter is not None:
        return f"dead again ({outcome.letter.reason})"
    due = f"{outcome.due_at:%Y-%m-%d %H:%M:%S} UTC" if outcome.due_at else ""
    return {
        "decided": "decided",
        "pending": "not tried yet; is a worker of the service running?",
        "early": f"parked again (early), {outcome.missing} is missing",
        "behind": "parked again (behind another message)",
        "retry": f"parked again (retry): it failed {outcome.attempts} times, next attempt at {due}",
        "dead": "dead again",
    }[outcome.state]
