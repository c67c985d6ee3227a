"""The fold of a history: applying the `after` of each entry, in order, gives the present thing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import convert, json

from didflow_chassis.decision import Caller
from didflow_contracts.assignments import Assignment
from didflow_contracts.vocabulary import AdditionalService
from didflow_inventory.api.responses import did_json
from didflow_inventory.domain.did import Did, DidAt
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.views import RegistrationView, RoutingView, ServiceView, TermView, Views

NOT_RECORDED: Final = frozenset(("holders", "published_status", "sequences", "assignment_refused_at"))
"""Fields of a DID that its history does not have. They decide about later messages, and nobody is shown them."""


def fold(folded: dict[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Apply the changes of one entry. Each `before` must be what the earlier entries gave."""
    for name, change in as_json(changes).items():
        before = filled(folded.get(name))
        assert filled(change["before"]) == before, f"{name} was {before}, and not {change['before']}"
        folded[name] = change["after"]


def fold_all(changes: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return what the changes of all entries of one thing give, without empty values."""
    folded: dict[str, Any] = {}
    for each in changes:
        fold(folded, each)
    return filled_fields(folded)


def filled_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not empty. The entry of a new thing leaves out the others."""
    return {name: value for name, value in as_json(fields).items() if filled(value) is not None}


def filled(value: Any) -> Any:
    """Return the value, or None for each empty value. The number 0 is not empty."""
    return None if value is False or value in ("", [], {}) else value


def as_json(value: Any) -> Any:
    """Return JSON values."""
    return json.decode(json.encode(value, enc_hook=lambda model: model.model_dump(mode="json")))


def did_of(folded: Mapping[str, Any]) -> Did:
    """Return the DID of a folded history. What is not in the history is empty."""
    return Did(
        holding=_part(Holding, "", folded, assignment=_assignment(folded)),
        views=Views(
            registration=_part(RegistrationView, "registration.", folded),
            services=_converted(folded.get("services") or {}, dict[AdditionalService, ServiceView]),
            routing=_part(RoutingView, "routing.", folded),
            term=_part(TermView, "term.", folded),
        ),
    )


def shown(folded: Mapping[str, Any], now: datetime, caller: Caller) -> Mapping[str, Any]:
    """Return the DID of a folded history as My Numbers shows it.

    `time_left_days` and the `by` of the next step depend on the clock besides, and `actions` on the caller.
    """
    return did_json(DidAt(did_of(folded), now), caller)


def _assignment(folded: Mapping[str, Any]) -> Assignment | None:
    return _part(Assignment, "assignment.", folded) if folded.get("assignment.identity_id") else None


def _part(model: Any, prefix: str, folded: Mapping[str, Any], **more: Any) -> Any:
    names = [name for name in model.__struct_fields__ if name not in more]
    values = {name: folded.get(prefix + name) for name in names}
    made = _converted({name: value for name, value in values.items() if value is not None}, model)
    return type(made)(**{name: getattr(made, name) for name in names}, **more)


def _converted(value: Any, model: Any) -> Any:
    return convert(value, model, dec_hook=lambda part, data: part.model_validate(data))
