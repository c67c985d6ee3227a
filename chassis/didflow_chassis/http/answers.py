"""From what a decision says to the answer that is stored and sent: one command, one status, one body."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from didflow_chassis.decision import Refused, Unchanged
from didflow_chassis.http.problems import FieldError, Problem, document
from didflow_chassis.stage.once import Answer, Result

NO_CONTENT = 204

Render = Callable[[Any], Any]


def answer_of(result: Result, status: int, render: Render | None, statuses: Mapping[str, int]) -> Answer:
    """Build the answer: `status` for what was done, 200 for what was so already, a problem for a refusal.

    `render` turns the decision's own answer into JSON values; `statuses` are the service's problem statuses.
    """
    outcome = result.outcome
    if isinstance(outcome, Refused):
        problem = refusal(outcome, statuses)
        return Answer(status=problem.status_code, body=document(problem))
    if status == NO_CONTENT:
        return Answer(status=NO_CONTENT, body=b"")
    said = outcome.answer if render is None else render(outcome.answer)
    body = to_json({} if said is None else said, inf_nan_mode="null")
    return Answer(status=200 if isinstance(outcome, Unchanged) else status, body=body)


def refusal(refused: Refused, statuses: Mapping[str, int]) -> Problem:
    """Turn a refusal into a problem: the service's status for its code, else the chassis' own, else 409."""
    errors: tuple[FieldError, ...] = ()
    if refused.field is not None:
        errors = (FieldError(field=refused.field, code=refused.code, message=refused.message),)
    return Problem(refused.code, refused.message, status=statuses.get(refused.code), errors=errors)
