"""My Numbers as a file: one row for each DID, in words that people read in a spreadsheet.

Names of columns are those of the JSON answer where a column is one of its fields. Instants are as in JSON.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from didflow_chassis.decision import Caller
from didflow_inventory.domain.did import DidAt
from didflow_inventory.domain.my_numbers.answer import TermAnswer, did_answer

UNLIMITED: Final = "Unlimited"
"""What people read for a term that renews without end. In JSON it is null."""

OF_ANSWER: Final = (
    "number",
    "status_label",
    "circle",
    "time_left_days",
    "country",
    "region",
    "area",
    "number_type",
    "account",
    "user",
    "description",
    "notes",
    "carrier",
    "sms_carrier",
    "stock",
    "blocked_by",
    "origin",
    "payer",
    "purchased_at",
    "did_id",
)
"""The columns that are fields of the answer."""

COLUMNS: Final = (
    *OF_ANSWER,
    "features",
    "tags",
    "next_step",
    "who",
    "by",
    "term_state",
    "cycles_left",
    "billing_period",
    "expires_at",
    "aging_until",
    "hold_until",
    "registration",
    "registration_reference",
    "identity_id",
    "services",
    "carrier_state",
    "voice",
    "capacity",
    "sms",
)


def cells_of(found: DidAt, caller: Caller) -> Mapping[str, Any]:
    """Return the cells of a DID, as it is shown to a caller. None is an empty cell."""
    answer = did_answer(found.did, found.at, caller)
    step, registration, routing = answer.next_step, answer.registration, answer.routing
    cells = {
        **{name: getattr(answer, name) for name in OF_ANSWER},
        "features": " ".join(answer.features),
        "tags": ", ".join(answer.tags),
        "next_step": step.action,
        "who": step.who,
        "by": step.by,
        **_cells_of_term(answer.term),
        "hold_until": answer.hold.until if answer.hold else None,
        "registration": registration.state,
        "registration_reference": registration.reference,
        "identity_id": answer.identity.identity_id,
        "services": ", ".join(f"{each.service}: {each.state}" for each in answer.services),
        "carrier_state": routing.carrier_state,
        "voice": routing.voice.name if routing.voice else None,
        "capacity": routing.capacity,
        "sms": routing.sms.name if routing.sms else None,
    }
    texts: Mapping[str, Any] = msgspec.to_builtins(cells)
    return texts


def _cells_of_term(term: TermAnswer) -> Mapping[str, Any]:
    is_unlimited = term.cycles_left is None and term.expires_at is not None
    return {
        "term_state": term.state,
        "cycles_left": UNLIMITED if is_unlimited else term.cycles_left,
        "billing_period": term.billing_period,
        "expires_at": term.expires_at,
        "aging_until": term.aging_until,
    }
