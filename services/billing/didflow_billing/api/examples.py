"""Examples of the routes of terms in the OpenAPI document. Those of quotes are real quotes of one term.

`ledger_examples` and `price_examples` have those of the other routes, about the same DID.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from didflow_billing.api.bodies import QuoteCancel, QuoteRenew, QuoteRestore, QuoteSetCycles, TermsBody
from didflow_billing.api.quotes import QuoteResponse, QuoteResult
from didflow_billing.api.responses import TermResponse
from didflow_billing.domain.periods import start_period
from didflow_billing.domain.quote import quote
from didflow_billing.domain.term import Term, transition
from didflow_billing.domain.term_changes import NOT_FOUND
from didflow_chassis.decision import Caller
from didflow_chassis.http import NamedEntity
from didflow_chassis.http.examples import examples_of
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money

NUMBER: Final = "+35319609036"
AT: Final = datetime(2026, 2, 10, 9, tzinfo=UTC)
"""The instant of the examples."""

ACCOUNT: Final = "master/acme"
CALLER: Final = Caller(subject="ann", account=ACCOUNT, role="reseller")
PRICE: Final = Price(
    setup=Money(amount=Decimal("3.00"), currency="EUR"),
    recurring=Money(amount=Decimal("5.00"), currency="EUR"),
)
BOUGHT: Final = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
PURCHASED: Final = Term(
    did_id=UUID("01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10"),
    number=NUMBER,
    account=ACCOUNT,
    payer=ACCOUNT,
    order_id="o-1",
    price=PRICE,
    purchased_at=BOUGHT,
    registration="approved",
    completed=True,
    accepted=True,
)
_RUNNING = transition(start_period(PURCHASED, 1, BOUGHT), "active", BOUGHT)
_CANCELED = transition(_RUNNING, "canceled", BOUGHT)
_PENDING = replace(_RUNNING, registration="pending", completed=False)

Options = dict[str, Any]
"""Options of a route that put examples into its OpenAPI entry."""


def options(requests: Mapping[str, Any], answers: Mapping[str, Any], **answered: Any) -> Options:
    """Return the options of a route with these examples, by name. `answered` is as in `examples_of`."""
    return {"openapi_extra": examples_of(requests, answers, **answered)}


def _batch(**requests: Mapping[str, Any]) -> Options:
    """Return the examples of a batch action: bodies, and an answer in which one DID is refused."""
    dids = [NUMBER, "+35319609037"]
    done = {"did": dids[0], "outcome": "done", "code": None, "message": None, "reference": None}
    refused = {
        **done,
        "did": dids[1],
        "outcome": "refused",
        "code": NOT_FOUND.code,
        "message": NOT_FOUND.message,
    }
    answer = {"results": [done, refused], "done": 1, "unchanged": 0, "refused": 1}
    bodies = {name: {"dids": dids, **fields} for name, fields in requests.items()}
    return options(bodies, {"one_refused": answer})


def _quoted(term: Term, body: TermsBody) -> tuple[Any, Any]:
    """Return the body of a quote, and what it answers about this term."""
    entity = NamedEntity(entity_id=term.did_id, subject=term.number)
    result = QuoteResult.of(NUMBER, quote(term, body.command(entity, CALLER), AT))
    return body.model_dump(mode="json", exclude_unset=True), QuoteResponse.of([result], AT).model_dump(
        mode="json"
    )


QUOTES: Final[Mapping[str, tuple[Any, Any]]] = {
    "cancel": _quoted(_RUNNING, QuoteCancel(action="cancel", dids=[NUMBER])),
    "remove_while_pending": _quoted(_PENDING, QuoteCancel(action="cancel", dids=[NUMBER], remove=True)),
    "end_with_the_paid_period": _quoted(
        _RUNNING, QuoteSetCycles(action="set-cycles", dids=[NUMBER], billing_cycles=0)
    ),
    "renew": _quoted(_RUNNING, QuoteRenew(action="renew", dids=[NUMBER], billing_period=3)),
    "restore": _quoted(_CANCELED, QuoteRestore(action="restore", dids=[NUMBER])),
    "refused": _quoted(_RUNNING, QuoteRestore(action="restore", dids=[NUMBER])),
}
"""Name of an example -> the body of the quote, and its answer."""

TERM: Final = options({}, {"active": TermResponse.of(_RUNNING).model_dump(mode="json")})
SET_CYCLES: Final = _batch(
    end_with_the_paid_period={"billing_cycles": 0},
    renew_twelve_times={"billing_cycles": 12},
    renew_without_limit={"billing_cycles": None},
)
RENEW: Final = _batch(three_months={"billing_period": 3})
CANCEL: Final = _batch(cancel={}, remove_while_pending={"remove": True})
RESTORE: Final = _batch(while_time_is_paid={}, with_a_renewal={"billing_period": 1})
QUOTE: Final = options(
    {name: body for name, (body, _) in QUOTES.items()}, {name: answer for name, (_, answer) in QUOTES.items()}
)
