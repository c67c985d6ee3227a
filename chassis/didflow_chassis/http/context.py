"""What a route receives: the caller, reads, and the only way to change something.

Every change goes through `run`, `batch`, `operate` or `operate_batch`: one call of the stage, under the idempotency
key of the request.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import Depends
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.database import Outage
from didflow_chassis.decision import Caller, Command, Decided, NewJob, Refused, Unchanged
from didflow_chassis.http import batch, lists
from didflow_chassis.http.batch import BatchAnswer, NamedEntities
from didflow_chassis.http.idempotency import CHANGING, answer_response, idempotency_key, replay
from didflow_chassis.http.job_responses import JobResponse, path_of
from didflow_chassis.http.problems import FieldError, Problem, document
from didflow_chassis.http.runtime import Runtime
from didflow_chassis.http.tokens import bearer_token
from didflow_chassis.jobs.job import Job
from didflow_chassis.row_access import check_rows
from didflow_chassis.stage.call import CommandDecision, HttpCall, MakeAnswer
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey
from didflow_chassis.stage.operations import Operation
from didflow_chassis.tables import NOW

ACCEPTED = 202
NO_CONTENT = 204

MAX_CHOICES = 50
"""How often a request chooses again what others have taken."""

T = TypeVar("T")
Render = Callable[[Any], Any]


class Outdated(Exception):
    """What a request has chosen was taken by others. Its transaction is rolled back."""


@dataclass(frozen=True, kw_only=True)
class HttpContext:
    """One authenticated request. `key` identifies the call for replays; None for a request that only reads."""

    request: Request
    runtime: Runtime
    caller: Caller
    key: IdempotencyKey | None

    def problem(
        self, status: int, code: str, detail: str = "", *, errors: Sequence[FieldError] = ()
    ) -> Problem:
        """Return a problem to raise."""
        return Problem(code, detail, status=status, errors=errors)

    @property
    def seconds_left(self) -> float:
        """In how many seconds the token of the caller expires."""
        return self.runtime.authenticator.seconds_left(bearer_token(self.request.headers))

    async def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """Run one read statement within the reach of the caller. Raises Outage, OutsideReach.

        All that HTTP shows is read here: the policies of the tables limit what the statement finds, and rows of
        tables without a policy are compared with the reach afterwards.
        """
        return await rows_of(self.runtime, self.caller, statement)

    async def now(self) -> datetime:
        """Return the service's time, for an answer that depends on it. Raises Outage."""
        now: datetime = (await self.rows(sa.select(NOW.label("now"))))[0]["now"]
        return now

    async def rows_of_any_account(self, statement: sa.Select[Any]) -> list[Any]:
        """Run one read statement without a limit, for a decision about it. Raises Outage.

        MUST NOT be used to show a row, unless a rule of the domain has allowed it.
        """
        return await self.runtime.database.fetch(statement)

    async def page(
        self,
        statement: sa.Select[Any],
        *,
        sort: lists.Sorts,
        render: lists.Render,
        key: lists.Key | None = None,
        default: str | None = None,
        is_grouped: bool = False,
        body: lists.PageBody | None = None,
    ) -> lists.Page:
        """Read the page that `limit`, `cursor` and `sort` of the query string request, or those of a `body`.

        `sort` maps names to the columns that a caller may sort by. Without a `sort` parameter the order is
        `default` (such as `-issued_at`), else the first of them. Rows with equal values are ordered by `key`, else
        by the primary key of the first table. In a statement that `is_grouped`, both are aggregates.
        Raises Problem `sort_unknown`, `cursor_invalid`, `input_invalid`.
        """
        parameters = self.request.query_params if body is None else body.page_parameters()
        query = lists.page_query(parameters, sort, default)
        return await lists.page_of(
            self.rows,
            statement,
            query,
            column=sort[query.sort],
            key=key,
            render=render,
            is_grouped=is_grouped,
        )

    def page_of_items(
        self, items: Iterable[T], *, sort: str, key: Callable[[T], str], render: lists.Render
    ) -> lists.Page:
        """Return the requested page of a list that is computed in memory. `key` is unique and orders the items.

        `sort` is what the order is called. Raises Problem `sort_unknown`, `cursor_invalid`, `input_invalid`.
        """
        return lists.page_of_items(items, self.request.query_params, sort=sort, key=key, render=render)

    async def run(
        self,
        command: Command,
        *,
        status: int = 200,
        render: Render | None = None,
        required: bool = False,
    ) -> Response:
        """Decide one command. Answer with `status` if done, with 200 if unchanged, else with a problem.

        `render` turns the `answer` of the decision into JSON values. If the decision has started a job to complete
        what it did, and answers with the job, the answer is that of `start_job`. If `required`, the call needs a key.
        """
        service = self.runtime.service

        def make_answer(results: Sequence[CommandDecision]) -> Answer:
            if isinstance(results[0], Decided) and isinstance(results[0].answer, NewJob):
                return started_job(results[0], service.name, service.problems)
            return answer_of(results[0], status, render, service.problems)

        return answer_response(await self._decide([command], make_answer, required=required))

    def answer(self, decision: CommandDecision, *, render: Render) -> Response:
        """Answer like `run` with a decision that was made on what was read, as in a dry run. Nothing is stored."""
        return answer_response(answer_of(decision, 200, render, self.runtime.service.problems))

    async def run_choice(
        self,
        choose: Callable[[], Awaitable[Command]],
        *,
        is_outdated: Callable[[Command, CommandDecision], bool],
        status: int = 200,
        render: Render | None = None,
    ) -> Response:
        """Decide one command about things that were chosen by a read before. Answer like `run`.

        Others may take the things between the read and the decision. If the decision `is_outdated` by that, nothing of
        it is stored, and `choose` is called again. Raises Outage if that happens too often.
        """
        statuses = self.runtime.service.problems

        async def attempt() -> Response:
            command = await choose()

            def make_answer(results: Sequence[CommandDecision]) -> Answer:
                if is_outdated(command, results[0]):
                    raise Outdated
                return answer_of(results[0], status, render, statuses)

            return answer_response(await self._decide([command], make_answer, required=False))

        return await self.until_in_time(attempt)

    async def start_job(self, command: Command, *, required: bool = False) -> Response:
        """Decide one command that starts a job. Answer with 202, the job and its `Location`, else with a problem.

        The decision returns the `NewJob` in `also` and in `answer`. If the job was started before, the decision is
        unchanged and answers with the `Job`. If `required`, the call needs a key. Source: spec http, Jobs.
        """
        service = self.runtime.service
        answer = await self._decide(
            [command],
            lambda results: started_job(results[0], service.name, service.problems),
            required=required,
        )
        return answer_response(answer)

    async def batch(
        self,
        names: Sequence[str],
        resolve: batch.Resolve,
        make: batch.Make,
        *,
        absent: Refused,
        required: bool = False,
        render: batch.RenderFields | None = None,
        is_outdated: Callable[[CommandDecision], bool] | None = None,
    ) -> batch.BatchAnswer:
        """Decide one command for each named thing and answer with one result for each, in a batch route.

        `resolve(http, names)` finds by one statement what the distinct names stand for in the caller's reach.
        `make(entity)` returns the command. `absent` is the refusal of a name that stands for nothing: the one that the
        decisions return for a thing that does not exist. `render` returns further fields of a result from the answer
        of its decision. If a decision `is_outdated`, nothing is stored. Raises Problem `too_few`, `too_many`; Outdated.
        """
        item = self._batch_item(names)
        entities = await resolve(self, list(dict.fromkeys(names)))
        plan = batch.plan(item, names, entities, absent, render)

        def make_answer(results: Sequence[CommandDecision]) -> Answer:
            if is_outdated is not None and any(map(is_outdated, results)):
                raise Outdated
            return plan.answer(results)

        answer = await self._decide(
            [make(entity) for entity in plan.entities], make_answer, required=required, is_batch=True
        )
        return batch.batch_response(answer)

    async def until_in_time(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Call `attempt`, which chooses things by a read and decides about them, again as long as it is Outdated.

        Raises Outage if others take what was chosen too often.
        """
        for _ in range(MAX_CHOICES):
            try:
                return await attempt()
            except Outdated:
                continue
        raise Outage("others took what was chosen too often")

    async def operate(self, operation: Operation, *, render: Render) -> Response:
        """Run an operation on one thing. Answer with 200, or with a problem if it is refused.

        `render` turns its result, a decision, into JSON values.
        """
        statuses = self.runtime.service.problems
        answer = await self._operate(
            operation,
            lambda results: answer_of(results[0], 200, lambda _: render(results[0]), statuses),
        )
        return answer_response(answer)

    async def operate_batch(
        self,
        names: Sequence[str],
        entities: NamedEntities,
        make: Callable[[Sequence[Any]], Operation],
        *,
        absent: Refused,
    ) -> BatchAnswer:
        """Run one operation on all named things and answer with one result for each, in a batch route.

        `entities` maps the names to what they stand for; `absent` is the refusal of the others. `make(keys)` returns
        the operation on the distinct keys of the entities. Raises Problem `too_few`, `too_many`.
        """
        plan = batch.plan(self._batch_item(names), names, entities, absent)
        operation = make([entity.entity_id for entity in plan.entities])
        return batch.batch_response(await self._operate(operation, plan.answer))

    async def _operate(self, operation: Operation, make_answer: MakeAnswer) -> Answer:
        return await self.runtime.stage.operate(operation, self._call(make_answer))

    def _batch_item(self, names: Sequence[str]) -> str:
        """Return what one item of this batch route is called. Raises Problem `too_few`, `too_many`."""
        item: str = self.request.scope["route"].batch_item
        batch.check_size(names, field=batch.list_field(item))
        return item

    def _call(self, make_answer: MakeAnswer) -> HttpCall:
        if self.key is None:
            raise TypeError(f"A {self.request.method} request must not change anything.")
        return HttpCall(key=self.key, actor=self.caller.actor, answer=make_answer)

    async def _decide(
        self, commands: Sequence[Command], make_answer: MakeAnswer, *, required: bool, is_batch: bool = False
    ) -> Answer:
        call = self._call(make_answer)
        if required and call.key.value is None:
            raise Problem(
                "idempotency_key_missing", "Send an Idempotency-Key, and send the same key with every retry."
            )
        if not commands and call.key.value is None:
            return make_answer([])
        return await self.runtime.stage.command(commands, call, is_batch=is_batch)


async def rows_of(runtime: Runtime, caller: Caller, statement: sa.Select[Any]) -> list[Any]:
    """Run one read statement within the reach of a caller. Raises Outage, OutsideReach."""
    rows = await runtime.reads.read(statement, caller)
    check_rows(statement, rows, caller)
    return rows


async def http_context(request: Request) -> HttpContext:
    """Return the context of a request. Raises Replay if the call was answered before."""
    runtime: Runtime = request.app.state.runtime
    caller: Caller = request.state.caller
    key = None
    if request.method in CHANGING:
        key = await idempotency_key(request, caller, runtime.service.keyring())
        await replay(partial(rows_of, runtime, caller), key)
    return HttpContext(request=request, runtime=runtime, caller=caller, key=key)


Http = Annotated[HttpContext, Depends(http_context)]


def answer_of(
    outcome: CommandDecision, status: int, render: Render | None, statuses: Mapping[str, int]
) -> Answer:
    """Return the answer to one command: `status` if done, 200 if unchanged, a problem if refused.

    `render` turns the decision's own answer into JSON values. `statuses` has the service's status of each code.
    """
    if isinstance(outcome, Refused):
        return _refused(outcome, statuses)
    if status == NO_CONTENT:
        return Answer(status=NO_CONTENT, body=b"")
    value = outcome.answer if render is None else render(outcome.answer)
    body = to_json({} if value is None else value, inf_nan_mode="null")
    return Answer(status=200 if isinstance(outcome, Unchanged) else status, body=body)


def started_job(outcome: CommandDecision, service: str, statuses: Mapping[str, int]) -> Answer:
    """Return the answer to a command that starts a job: 202 with the job and its location, or a problem."""
    if isinstance(outcome, Refused):
        return _refused(outcome, statuses)
    started: NewJob | Job = outcome.answer
    job = Job.of(started) if isinstance(started, NewJob) else started
    body = JobResponse.of(job).model_dump_json().encode()
    return Answer(status=ACCEPTED, body=body, location=path_of(service, job.job_id))


def _refused(refused: Refused, statuses: Mapping[str, int]) -> Answer:
    problem = refusal(refused, statuses)
    return Answer(status=problem.status_code, body=document(problem))


def refusal(refused: Refused, statuses: Mapping[str, int]) -> Problem:
    """Return the problem of a refusal. The status is the service's for its code, else the chassis', else 409."""
    errors: tuple[FieldError, ...] = ()
    if refused.field is not None:
        errors = (FieldError(field=refused.field, code=refused.code, message=refused.message),)
    return Problem(
        refused.code,
        refused.message,
        status=statuses.get(refused.code),
        errors=errors,
        reference=refused.reference,
    )
