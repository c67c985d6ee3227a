"""Which message leads to which decision: all that provisioning listens to, on one screen.

A message about a number may order one thing from its carrier, so each declares the line and that command.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from didflow_chassis.decision import Command, Known
from didflow_chassis.service import Handler, Ref
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    CycleExpired,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    PurchaseRefused,
    ResultReported,
    TermChanged,
    VerificationApproved,
    VerificationExpired,
    VerificationExpiring,
    VerificationNotRequired,
    VerificationPending,
    VerificationRejected,
    VerificationRequired,
)
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.commands import (
    Clear,
    CreateVoiceTrunk,
    DeleteVoiceTrunk,
    KeepVoiceTrunk,
    RetryCommand,
    SetCapacity,
    SetVoice,
)
from didflow_provisioning.domain.due import on_line_due, on_routing_due
from didflow_provisioning.domain.endings import on_refused, on_removed
from didflow_provisioning.domain.hearing import on_changed, on_purchased, on_registration, on_term
from didflow_provisioning.domain.identity import fresh_id, fresh_id_of_line
from didflow_provisioning.domain.line import Line
from didflow_provisioning.domain.results import on_result
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.trunks import VoiceTrunk, create, delete, keep
from didflow_provisioning.domain.wishes import clear, retry, set_capacity, set_voice


def _line(message: Any) -> Iterable[Ref]:
    yield Ref(Line, message.subject, write=True)
    yield Ref(CarrierCommand, fresh_id(message), write=True)


def _line_and_trunk(command: SetVoice) -> Iterable[Ref]:
    yield from _line(command)
    yield Ref(VoiceTrunk, command.voice_trunk_id)


def _line_and_answered(event: Any) -> Iterable[Ref]:
    yield from _line(event)
    yield Ref(CarrierCommand, event.data.command_id, write=True)


def _behind(_: Routing | None, message: Any, known: Known) -> Iterable[Ref]:
    """Name the other DIDs of the number: when this one is released, the next is served."""
    line = known.get(Line, message.subject)
    return [Ref(Routing, did_id, write=True) for did_id in line.lives] if line else []


def _line_of_routing(routing: Routing, _: None, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    return [Ref(Line, routing.number, write=True, subject=routing.number)]


def _all_of_line(line: Line, _: None, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    yield from (Ref(Routing, did_id, write=True) for did_id in line.lives)
    yield Ref(CarrierCommand, fresh_id_of_line(line), write=True)
    if line.open is not None:
        yield Ref(CarrierCommand, line.open, write=True)


def _number(decide: Callable[..., Any]) -> Handler:
    return Handler(decide=decide, needs=_line)


EVENTS: Mapping[type[EventData], Handler] = {
    DidPurchased: Handler(decide=on_purchased),
    DidPortingStarted: Handler(decide=on_purchased),
    PurchaseRefused: Handler(decide=on_refused, needs=_line, state_needs=_behind),
    DidChanged: _number(on_changed),
    VerificationRequired: _number(on_registration),
    VerificationNotRequired: _number(on_registration),
    VerificationPending: _number(on_registration),
    VerificationApproved: _number(on_registration),
    VerificationRejected: _number(on_registration),
    VerificationExpiring: _number(on_registration),
    VerificationExpired: _number(on_registration),
    TermChanged: _number(on_term),
    CycleExpired: _number(on_term),
    DidRemoved: Handler(decide=on_removed, needs=_line, state_needs=_behind),
    ResultReported: Handler(decide=on_result, needs=_line_and_answered, state_needs=_behind),
}

COMMANDS: Mapping[type[Command], Handler] = {
    SetVoice: Handler(decide=set_voice, needs=_line_and_trunk),
    SetCapacity: _number(set_capacity),
    Clear: _number(clear),
    RetryCommand: _number(retry),
    CreateVoiceTrunk: Handler(decide=create, model=VoiceTrunk),
    DeleteVoiceTrunk: Handler(decide=delete, model=VoiceTrunk),
    KeepVoiceTrunk: Handler(decide=keep, model=VoiceTrunk),
}

DUE: Mapping[type, Handler] = {
    Routing: Handler(decide=on_routing_due, state_needs=_line_of_routing),
    Line: Handler(decide=on_line_due, state_needs=_all_of_line),
}
