"""Billing over HTTP: a term, the wishes for terms, what they would cost, and the ledger.

Routes only translate; what may be done is decided in `domain/`, what may be seen in `store`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query

from didflow_billing import store
from didflow_billing.bodies import (
    CancelBody,
    LedgerQuery,
    QuoteBody,
    RenewBody,
    RestoreBody,
    SetCyclesBody,
    name_among,
)
from didflow_billing.domain.quote import Quote, quote
from didflow_billing.domain.term import Term
from didflow_billing.shown import (
    QuoteEntry,
    QuoteShown,
    TermShown,
    line_shown,
    quote_entry,
    quote_shown,
    term_shown,
)
from didflow_chassis.decision import Caller, Unchanged
from didflow_chassis.http import BatchAnswer, Http, HttpContext, Page, Target
from didflow_chassis.http.batch import check_size

MANAGERS: Final = ("operator", "master_reseller", "reseller", "enterprise_admin", "service")
"""Who may change a term or ask what a change would cost."""

Wish = SetCyclesBody | RenewBody | CancelBody | RestoreBody

router = APIRouter(prefix="/v1")


def routers() -> Iterable[APIRouter]:
    """Give billing's routes."""
    return (router,)


@router.get("/terms/{did}", tags=["terms"])
async def show_term(http: Http, did: str) -> TermShown:
    """One term, by its number while the DID lives or by the DID's id."""
    found = await _terms(http, [did])
    if did not in found:
        raise http.problem(404, "not_found", "No such number.")
    return term_shown(found[did])


@router.post("/terms/batch/set-cycles", tags=["terms"])
async def set_cycles(http: Http, body: SetCyclesBody) -> BatchAnswer:
    """Set how often DIDs renew by themselves; 0 makes the running period the last one."""
    return await _wish(http, body)


@router.post("/terms/batch/renew", tags=["terms"])
async def renew(http: Http, body: RenewBody) -> BatchAnswer:
    """Pay for one more period of DIDs now."""
    return await _wish(http, body)


@router.post("/terms/batch/cancel", tags=["terms"])
async def cancel(http: Http, body: CancelBody) -> BatchAnswer:
    """Cancel DIDs; those whose registration was never completed are removed and refunded."""
    return await _wish(http, body)


@router.post("/terms/batch/restore", tags=["terms"])
async def restore(http: Http, body: RestoreBody) -> BatchAnswer:
    """Take cancellations back, with a renewal where no time is left."""
    return await _wish(http, body)


@router.post("/terms/quote", tags=["terms"])
async def quote_terms(http: Http, body: QuoteBody) -> QuoteShown:
    """Say what an action would charge or give back, entry by entry, and do nothing."""
    http.require(*MANAGERS)
    check_size(body.dids, field="dids")
    now = (await http.rows(store.NOW))[0]["now"]
    found = await _terms(http, body.dids)
    return quote_shown(list(_quoted(body, found, http.caller, now)))


@router.get("/ledger", tags=["ledger"])
async def list_ledger(http: Http, query: Annotated[LedgerQuery, Query()]) -> Page:
    """The charges and refunds of the caller's subtree, as posted; the latest first with `sort=-posted_at`."""
    statement = store.ledger_lines(http.caller, *query.conditions())
    return await http.page(statement, sort=store.LEDGER_SORTS, render=_line)


def _quoted(body: Wish, found: Mapping[str, Term], caller: Caller, now: datetime) -> Iterator[QuoteEntry]:
    """Quote for each name; a DID that was named before is unchanged, as in the action itself."""
    asked: set[UUID] = set()
    for name in body.dids:
        term = found.get(name)
        if term is not None and term.did_id in asked:
            yield quote_entry(name, Quote(outcome=Unchanged()))
            continue
        target = Target(entity_id=term and term.did_id, subject=term.number if term else "")
        asked |= {term.did_id} if term else set()
        yield quote_entry(name, quote(term, body.command(target, caller), now))


async def _wish(http: HttpContext, body: Wish) -> BatchAnswer:
    http.require(*MANAGERS)
    return await http.batch(body.dids, _resolve, lambda target: body.command(target, http.caller))


async def _resolve(http: HttpContext, names: list[str]) -> Mapping[str, Target]:
    found = await _terms(http, names)
    return {name: Target(entity_id=term.did_id, subject=term.number) for name, term in found.items()}


async def _terms(http: HttpContext, names: list[str]) -> Mapping[str, Term]:
    """Find the term that each name stands for, in one statement; names of nothing are left out."""
    named = name_among(names)
    rows = await http.rows(store.terms_named(set(named.values()), http.caller)) if named else []
    found: dict[UUID | str, Term] = {}
    for term in map(store.term_in, rows):
        found.setdefault(term.did_id, term)
        if term.state != "closed":
            found.setdefault(term.number, term)
    return {text: found[name] for text, name in named.items() if name in found}


def _line(row: Any) -> Mapping[str, Any]:
    return line_shown(store.line_in(row)).model_dump(mode="json")
