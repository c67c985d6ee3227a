"""Terms over HTTP: one term, the commands that change terms, and quotes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from didflow_billing import store
from didflow_billing.api import examples
from didflow_billing.api.bodies import (
    CancelBody,
    QuoteBody,
    RenewBody,
    RestoreBody,
    SetCyclesBody,
    TermsBody,
)
from didflow_billing.api.quotes import QuoteResponse, QuoteResult
from didflow_billing.api.responses import TermResponse
from didflow_billing.domain.quote import Quote, quote, repeat
from didflow_billing.domain.term import Term
from didflow_billing.domain.term_changes import NOT_FOUND
from didflow_chassis.decision import Caller
from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Router
from didflow_chassis.http.batch import check_size
from didflow_contracts.names import parse_did

router = Router(tags=["terms"])


@router.get(
    "/terms/{did}",
    action="read_billing",
    summary="Show the term of a DID",
    **examples.TERM,
)
async def show_term(http: Http, did: str) -> TermResponse:
    """Return one term: by number while the DID is live, by `did_id` at any time.

    `expires_at` says until when the term is paid. What happens at that instant depends on `state`:

    - `active`: the next period is charged, and `cycles_left` is one less. Calls go on.
    - `delayed_removal`: no cycles are left. Calls stop, and the term is `aging` for 34 days.
    - `canceled`: calls are stopped already. The term can be restored until 34 days later, with a renewal.
    - `aging`: this instant has passed. The DID can be renewed until `aging_until`, and is removed then.
    """
    found = await _find_terms(http, [did])
    if did not in found:
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    return TermResponse.of(found[did])


@router.batch(
    "/terms/batch/set-cycles",
    action="change_terms",
    item="did",
    summary="Set how many times terms renew by themselves",
    **examples.SET_CYCLES,
)
async def set_cycles(http: Http, body: SetCyclesBody) -> BatchAnswer:
    """Set how many times terms renew by themselves. Nothing is charged now, and no call is stopped now.

    - `0` ends a term with the period that is paid: calls go on until `expires_at` and then stop. This is the way to
      "cancel at the end of the period". `cancel` stops calls at once.
    - `1` to `999`: at each `expires_at` the next period is charged, as often as this says. Then the term ends.
    - `null`: the term renews without limit.

    After the end a DID is `aging` for 34 days, in which a renewal brings it back. Then it is removed. A term that is
    canceled or aging is refused with `term_ended`.
    """
    return await _change(http, body)


@router.batch(
    "/terms/batch/renew",
    action="change_terms",
    item="did",
    summary="Pay for one more period now",
    **examples.RENEW,
)
async def renew(http: Http, body: RenewBody) -> BatchAnswer:
    """Charge one period of 1, 3, 6 or 12 months now. The cycles do not change.

    - While time is paid, the period is added at `expires_at`. Calls go on.
    - If the term is aging, the period starts now, and calls start again. No cycles are left, so calls stop again at the
      new `expires_at` unless you set cycles.
    - If the term is canceled, the action is refused with `restore_first`.

    The months become the DID's billing period: later renewals are as long.
    """
    return await _change(http, body)


@router.batch(
    "/terms/batch/cancel",
    action="change_terms",
    item="did",
    summary="Cancel terms: calls stop now",
    **examples.CANCEL,
)
async def cancel(http: Http, body: CancelBody) -> BatchAnswer:
    """Cancel terms now. Calls and messages stop at once, although paid time remains, and nothing is refunded.

    To keep calls until the end of the paid period, do not cancel: set the cycles to `0`.

    A canceled term never renews. It can be restored free of charge until `expires_at`, and with a renewal for 34 days
    after it. Then the DID is removed.

    A DID whose registration was never completed is treated in another way:

    - `awaiting` or `rejected`: the DID is removed at once, and everything that it cost is refunded.
    - `pending`: it is canceled as above. With `remove`, it is removed at once. Nothing is refunded in either case.

    Before the registration is known, the action is refused with `not_ready`.
    """
    return await _change(http, body)


@router.batch(
    "/terms/batch/restore",
    action="change_terms",
    item="did",
    summary="Undo cancellations: calls start again",
    **examples.RESTORE,
)
async def restore(http: Http, body: RestoreBody) -> BatchAnswer:
    """Undo cancellations. Calls and messages start again at once, and the cycles are as before.

    - While time is paid, nothing is charged, and `expires_at` stays. A `billing_period` is ignored.
    - When no time is paid any more, a `billing_period` is needed (else `renewal_needed`): one period is charged, and it
      starts now.

    A term that is not canceled is refused with `not_canceled`. An aging one is renewed instead.
    """
    return await _change(http, body)


@router.post(
    "/terms/quote",
    action="change_terms",
    summary="Show what an action would do, charge and refund",
    **examples.QUOTE,
)
async def quote_terms(http: Http, body: QuoteBody) -> QuoteResponse:
    """Return, for each DID, what an action would do now. Nothing is changed.

    The answer has the term `before` and `after`, what happens to calls and until when, whether and when the DID is
    removed, until when it can be restored, the charge with its period, the refund, and the same as a sentence in
    `message`. For a `cancel` that gives up paid time, `instead` shows the other way: `set-cycles` 0 keeps calls until
    the end of the paid period.
    """
    check_size(body.dids, field="dids")
    now = await http.now()
    found = await _find_terms(http, body.dids)
    return QuoteResponse.of(list(_quotes(body, found, http.caller, now)), now)


def _quotes(
    body: TermsBody, found: Mapping[str, Term], caller: Caller, now: datetime
) -> Iterator[QuoteResult]:
    """Quote each DID. A DID that is named a second time is unchanged, as in the action itself."""
    quoted: dict[UUID, Quote] = {}
    for name in body.dids:
        term = found.get(name)
        entity = NamedEntity(entity_id=term and term.did_id, subject=term.number if term else "")
        if term is not None and term.did_id in quoted:
            yield QuoteResult.of(name, repeat(quoted[term.did_id], now))
            continue
        made = quote(term, body.command(entity, caller), now)
        if term is not None:
            quoted[term.did_id] = made
        yield QuoteResult.of(name, made)


async def _change(http: HttpContext, body: TermsBody) -> BatchAnswer:
    return await http.batch(
        body.dids, _entities, lambda entity: body.command(entity, http.caller), absent=NOT_FOUND
    )


async def _entities(http: HttpContext, names: list[str]) -> Mapping[str, NamedEntity]:
    found = await _find_terms(http, names)
    return {name: NamedEntity(entity_id=term.did_id, subject=term.number) for name, term in found.items()}


async def _find_terms(http: HttpContext, names: list[str]) -> Mapping[str, Term]:
    """Return the term that each name stands for, read by one statement. Names without a term are left out."""
    parsed = {name: did for name in names if (did := parse_did(name)) is not None}
    if not parsed:
        return {}
    found: dict[UUID | str, Term] = {}
    for term in map(store.term_in, await http.rows(store.terms_named(set(parsed.values()), http.caller))):
        found.setdefault(term.did_id, term)
        if term.state != "closed":
            found.setdefault(term.number, term)
    return {name: found[did] for name, did in parsed.items() if did in found}
