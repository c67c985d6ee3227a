"""Batch actions: each item has its own result, in the order of the request. A refused item never fails the others.

The names of all items are resolved by one statement, and all items are decided in one call of the stage.
Source: spec http, Batch actions.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, Field, create_model
from pydantic_core import to_json
from starlette.responses import Response

from didflow_chassis.decision import Command, Decided, Refused, Unchanged
from didflow_chassis.http.idempotency import REPLAYED
from didflow_chassis.http.problems import FieldError, Problem, clean
from didflow_chassis.stage.call import CommandDecision
from didflow_chassis.stage.idempotency import Answer
from didflow_contracts.bounds import BATCH

MAX_ITEMS = BATCH.most


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedEntity:
    """What a name stands for: the key of a state, and the key that its messages are ordered by."""

    entity_id: Hashable
    subject: str


NamedEntities = Mapping[str, NamedEntity | Refused]
"""What each name stands for, or why it stands for nothing. A name that is not in it is refused as absent."""

Resolve = Callable[[Any, list[str]], Awaitable[NamedEntities]]
Make = Callable[[NamedEntity], Command]
RenderFields = Callable[[Any], Mapping[str, Any]]


class BatchAnswer(Response):
    """The response of a batch action."""

    media_type = "application/json"


class ItemResult(BaseModel):
    """The result of one item, without its name. `code` and `message` are null unless it was refused."""

    outcome: Literal["done", "unchanged", "refused"]
    code: str | None = None
    message: str | None = None
    reference: str | None = Field(
        default=None, description="With `internal_error`: the reference in the log."
    )


class BatchResults(BaseModel):
    """The counts of a batch action, without its results."""

    done: int
    unchanged: int
    refused: int


@lru_cache
def results_model(item: str, base: type[ItemResult] = ItemResult) -> type[BaseModel]:
    """Return the model of the answer of a batch action. `item` is what one item is called, such as `did`.

    `base` can have further fields of a result, which `render` of `HttpContext.batch` returns.
    """
    prefix = item.title().replace("_", "") + ("" if base is ItemResult else base.__name__)
    name: Any = (str, Field(description="As the caller wrote it."))
    result = create_model(f"{prefix}Result", __base__=base, **{item: name})
    results: Any = (list[result], Field(description="In the order of the request."))
    return create_model(f"{prefix}Results", __base__=BatchResults, results=results)


def list_field(item: str) -> str:
    """Return the field of the body that lists the items."""
    return f"{item}s"


def check_list_field(endpoint: Callable[..., Any], item: str) -> None:
    """Raise TypeError unless the endpoint takes a body with the list field of this item."""
    bodies = [model for hint in get_type_hints(endpoint).values() for model in models_in(hint)]
    if not any(list_field(item) in body.model_fields for body in bodies):
        raise TypeError(f"{endpoint.__qualname__} needs a body with the field {list_field(item)!r}.")


def models_in(hint: Any) -> list[type[BaseModel]]:
    """Return the model that a type is, or the models of a union."""
    if isinstance(hint, type):
        return [hint] if issubclass(hint, BaseModel) else []
    return [model for part in get_args(hint) for model in models_in(part)]


def check_size(names: Sequence[str], *, field: str) -> None:
    """Raise Problem `too_few` or `too_many` unless the list field has 1 to 1,000 items."""
    code = "too_few" if not names else "too_many" if len(names) > MAX_ITEMS else None
    if code:
        message = f"List 1 to {MAX_ITEMS} items in {field}; there are {len(names)}."
        raise Problem(code, message, errors=[FieldError(field=field, code=code, message=message)])


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which item is decided by which command: each distinct entity once, where it was named first.

    `first` maps the position of an item to the position of its command. `repeats` are the positions of items
    whose entity was named before. `refused` are the items that stand for nothing, by their position. `render` returns
    further fields of a result, from the answer of its decision or from None.
    """

    item: str
    names: Sequence[str]
    entities: Sequence[NamedEntity]
    first: Mapping[int, int]
    repeats: frozenset[int]
    refused: Mapping[int, Refused]
    render: RenderFields | None = None

    def answer(self, results: Sequence[CommandDecision]) -> Answer:
        """Return the answer, from one result for each command."""
        items = [self._result(position, results) for position in range(len(self.names))]
        counts = Counter(item["outcome"] for item in items)
        numbers = {outcome: counts[outcome] for outcome in ("done", "unchanged", "refused")}
        return Answer(status=200, body=to_json({"results": items, **numbers}))

    def _result(self, position: int, results: Sequence[CommandDecision]) -> dict[str, Any]:
        named: dict[str, Any] = {self.item: clean(self.names[position])}
        outcome = results[self.first[position]] if position in self.first else self.refused.get(position)
        if self.render is not None:
            named |= self.render(outcome.answer if isinstance(outcome, (Decided, Unchanged)) else None)
        if position in self.repeats or isinstance(outcome, Unchanged):
            return {**named, "outcome": "unchanged", "code": None, "message": None}
        if isinstance(outcome, Refused):
            refused = {**named, "outcome": "refused", "code": outcome.code, "message": outcome.message}
            return refused if outcome.reference is None else {**refused, "reference": outcome.reference}
        return {**named, "outcome": "done", "code": None, "message": None}


def batch_response(answer: Answer) -> BatchAnswer:
    """Return the response that carries the answer of a batch action."""
    return BatchAnswer(answer.body, answer.status, REPLAYED if answer.replayed else None)


def plan(
    item: str,
    names: Sequence[str],
    entities: NamedEntities,
    absent: Refused,
    render: RenderFields | None = None,
) -> Plan:
    """Plan the commands of a batch. An entity that is named again, by any name, is decided once.

    `absent` is the refusal of a name that is not in `entities`.
    """
    distinct: dict[Hashable, NamedEntity] = {}
    first: dict[int, int] = {}
    repeats: set[int] = set()
    refused: dict[int, Refused] = {}
    for position, name in enumerate(names):
        entity = entities.get(name, absent)
        if isinstance(entity, Refused):
            refused[position] = entity
            continue
        if entity.entity_id in distinct:
            repeats.add(position)
            continue
        first[position] = len(distinct)
        distinct[entity.entity_id] = entity
    return Plan(
        item=item,
        names=names,
        entities=tuple(distinct.values()),
        first=first,
        repeats=frozenset(repeats),
        refused=refused,
        render=render,
    )
