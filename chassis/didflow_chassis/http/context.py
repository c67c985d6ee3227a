"""What a route is given: who asks, reads, and the one way to change something.

Every change goes through `run` or `batch`: one call of the stage under the call's idempotency key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.decision import Caller, Command
from didflow_chassis.http import answers, batch, lists
from didflow_chassis.http.idempotency import CHANGING, answer_response, claim_of, replay
from didflow_chassis.http.problems import FieldError, Problem
from didflow_chassis.http.running import Answering, Running
from didflow_chassis.stage.once import Answer, Once

__all__ = ["Http", "HttpContext", "Running", "http_context"]


@dataclass(frozen=True, kw_only=True)
class HttpContext:
    """One authenticated request. `once` is its idempotency claim, None for a request that only reads."""

    request: Request
    running: Running
    caller: Caller
    once: Once | None

    def require(self, *roles: str) -> None:
        """Raise Problem `role_not_allowed` unless the caller has one of these roles."""
        if self.caller.role not in roles:
            raise Problem("role_not_allowed", f"Allowed for: {', '.join(roles)}.")

    def problem(
        self, status: int, code: str, detail: str = "", *, errors: Sequence[FieldError] = ()
    ) -> Problem:
        """Make a problem to raise."""
        return Problem(code, detail, status=status, errors=errors)

    async def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """Run one read statement on the service's database."""
        return await self.running.database.fetch(statement)

    async def page(
        self,
        statement: sa.Select[Any],
        *,
        sort: lists.Sorts,
        render: lists.Render,
        key: sa.ColumnElement[Any] | None = None,
        default: str | None = None,
    ) -> lists.Page:
        """Read one page by the query string's `limit`, `cursor` and `sort`.

        `sort` names the columns that may be sorted by; `default` (such as `-issued_at`) holds without one
        asked for, else the first. Ties are broken by `key`, else by the first table's primary key.
        """
        asked = lists.asked_of(self.request.query_params, sort, default)
        column = sort[asked.sort]
        return await lists.page_of(
            self.running.database, statement, asked, column=column, key=key, render=render
        )

    async def run(
        self,
        command: Command,
        *,
        status: int = 200,
        render: answers.Render | None = None,
        required: bool = False,
    ) -> Response:
        """Decide one command and answer: `status` when done, 200 when it was so already, else a problem.

        `render` makes JSON values of the decision's `answer`; with `required` the call needs a key.
        """
        statuses = self.running.service.problems
        answer = await self._decide(
            [command],
            lambda results: answers.answer_of(results[0], status, render, statuses),
            required=required,
        )
        return answer_response(answer)

    async def batch(
        self, names: Sequence[str], resolve: batch.Resolve, make: batch.Make, *, required: bool = False
    ) -> batch.BatchAnswer:
        """Decide one command for each named thing and answer entry by entry.

        `resolve(http, names)` finds, in one statement and within the caller's reach, what the distinct names
        stand for; `make(target)` makes the command.
        """
        item: str = getattr(self.request.scope["route"], "batch_item", None) or "did"
        batch.check_size(names, field=batch.list_field(item))
        plan = batch.plan(item, names, await resolve(self, list(dict.fromkeys(names))))
        answer = await self._decide([make(t) for t in plan.targets], plan.answer, required=required)
        return batch.batch_response(answer)

    async def _decide(self, commands: Sequence[Command], answering: Answering, *, required: bool) -> Answer:
        if self.once is None:
            raise TypeError(f"{self.request.method} must not change anything")
        if required and self.once.key is None:
            raise Problem(
                "idempotency_key_missing", "Send an Idempotency-Key, the same one with every retry."
            )
        if not commands and self.once.key is None:
            return answering([])
        actor = f"user:{self.caller.subject}"
        return await self.running.stage.command(commands, once=self.once, actor=actor, answer=answering)


async def http_context(request: Request) -> HttpContext:
    """Build the context; a call that was answered before is answered here, before any check of the route."""
    running: Running = request.app.state.running
    caller: Caller = request.state.caller
    once = await claim_of(request, caller) if request.method in CHANGING else None
    if once is not None:
        await replay(running.database, once)
    return HttpContext(request=request, running=running, caller=caller, once=once)


Http = Annotated[HttpContext, Depends(http_context)]
