"""Terms over HTTP: one term, the commands that change terms, and quotes."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from didflow_billing import store
from didflow_billing.api.bodies import (
    CancelBody,
    QuoteBody,
    RenewBody,
    RestoreBody,
    SetCyclesBody,
    TermsBody,
)
from didflow_billing.api.responses import QuoteResponse, QuoteResult, TermResponse
from didflow_billing.domain.quote import Quote, quote
from didflow_billing.domain.term import Term
from didflow_billing.domain.term_changes import NOT_FOUND
from didflow_chassis.decision import Caller, Unchanged
from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Router
from didflow_chassis.http.batch import check_size
from didflow_chassis.tables import NOW
from didflow_contracts.names import parse_did

router = Router(tags=["terms"])


@router.get("/terms/{did}", action="read_billing")
async def show_term(http: Http, did: str) -> TermResponse:
    """Return one term: by number while the DID is live, by `did_id` at any time."""
    found = await _find_terms(http, [did])
    if did not in found:
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    return TermResponse.of(found[did])


@router.batch("/terms/batch/set-cycles", action="change_terms", item="did")
async def set_cycles(http: Http, body: SetCyclesBody) -> BatchAnswer:
    """Set how many times terms renew by themselves. 0 makes the running period the last one."""
    return await _change(http, body)


@router.batch("/terms/batch/renew", action="change_terms", item="did")
async def renew(http: Http, body: RenewBody) -> BatchAnswer:
    """Pay for one more period now."""
    return await _change(http, body)


@router.batch("/terms/batch/cancel", action="change_terms", item="did")
async def cancel(http: Http, body: CancelBody) -> BatchAnswer:
    """Cancel terms. DIDs whose registration was never completed are removed and refunded."""
    return await _change(http, body)


@router.batch("/terms/batch/restore", action="change_terms", item="did")
async def restore(http: Http, body: RestoreBody) -> BatchAnswer:
    """Undo cancellations. If no paid time is left, this needs a `billing_period` to renew."""
    return await _change(http, body)


@router.post("/terms/quote", action="change_terms")
async def quote_terms(http: Http, body: QuoteBody) -> QuoteResponse:
    """Return what an action would charge or refund, for each DID. Nothing is changed."""
    check_size(body.dids, field="dids")
    now = (await http.rows(sa.select(NOW.label("now"))))[0]["now"]
    found = await _find_terms(http, body.dids)
    return QuoteResponse.of(list(_quotes(body, found, http.caller, now)))


def _quotes(
    body: TermsBody, found: Mapping[str, Term], caller: Caller, now: datetime
) -> Iterator[QuoteResult]:
    """Quote each DID. A DID that is named a second time is unchanged, as in the action itself."""
    quoted: set[UUID] = set()
    for name in body.dids:
        term = found.get(name)
        if term is not None and term.did_id in quoted:
            yield QuoteResult.of(name, Quote(decision=Unchanged()))
            continue
        entity = NamedEntity(entity_id=term and term.did_id, subject=term.number if term else "")
        quoted |= {term.did_id} if term else set()
        yield QuoteResult.of(name, quote(term, body.command(entity, caller), now))


async def _change(http: HttpContext, body: TermsBody) -> BatchAnswer:
    return await http.batch(body.dids, _entities, lambda entity: body.command(entity, http.caller))


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
