"""Inventory over HTTP: My Numbers, one number and its story, purchases, end-user details, accounts.

Routes only translate; what may be done is decided in `domain/`, what may be seen in `store`.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.responses import Response

from didflow_chassis.http import BatchAnswer, Http, HttpContext, Page, Target, parse_name
from didflow_inventory import store
from didflow_inventory.bodies import (
    AccountBody,
    AssignEndUserBody,
    DidQuery,
    PurchaseBody,
    is_number,
    numbers_among,
)
from didflow_inventory.domain.account import Account
from didflow_inventory.domain.commands import AssignEndUser, CreateAccount, Purchase
from didflow_inventory.domain.history import HistoryEntry
from didflow_inventory.domain.showing import DidShown, shown
from didflow_inventory.domain.status import FILTERS

RESELLERS: Final = ("operator", "master_reseller", "reseller")
MANAGERS: Final = (*RESELLERS, "enterprise_admin", "service")

SHOWN: Final = TypeAdapter(DidShown)
ACCOUNT: Final = TypeAdapter(Account)
TOLD: Final = ("at", "recorded_at", "type", "actor", "outcome", "code", "account", "changes", "extra")

router = APIRouter(prefix="/v1")


def routers() -> Iterable[APIRouter]:
    """Give inventory's routes."""
    return (router,)


@router.post("/purchases", status_code=201, tags=["purchases"], response_model=DidShown)
async def create_purchase(http: Http, body: PurchaseBody) -> Response:
    """Purchase a number. Decided at once: 201 with the DID; 200 when this order has made it already."""
    http.require(*MANAGERS)
    data = body.data()
    command = Purchase(entity_id=data.did_id, subject=data.number, caller=http.caller, data=data)
    return await http.run(command, status=201, render=_json, required=True)


@router.get("/dids", tags=["numbers"])
async def list_dids(http: Http, query: Annotated[DidQuery, Query()]) -> Page:
    """My Numbers: the living DIDs of the caller's subtree, by quick filter and search."""
    statement = store.my_numbers(http.caller, query.filter, *query.conditions())
    return await http.page(statement, sort=store.DID_SORTS, render=_did)


@router.get("/dids/summary", tags=["numbers"])
async def summarize_dids(http: Http) -> dict[str, int]:
    """How many DIDs each quick filter shows; those that show none are absent."""
    counts = (await http.rows(store.summary(http.caller)))[0]
    return {name: counts[name] for name in FILTERS if counts[name]}


@router.get("/dids/{did}", tags=["numbers"], response_model=DidShown)
async def show_did(http: Http, did: str) -> Mapping[str, Any]:
    """One DID, by its number while it lives or by its id."""
    return _did(await _found(http, did))


@router.get("/dids/{did}/history", tags=["numbers"])
async def tell_did(http: Http, did: str) -> Page:
    """The story of one DID: every message about it in the order decided, from all services."""
    row = await _found(http, did)
    sort = {"position": store.history.c.position}
    return await http.page(store.story(row["did_id"]), sort=sort, render=_entry)


@router.post("/dids/batch/assign-end-user", tags=["numbers"])
async def assign_end_user(http: Http, body: AssignEndUserBody) -> BatchAnswer:
    """Assign an identity, and what belongs to it, to DIDs; each is then judged by verification."""
    http.require(*MANAGERS)

    def make(target: Target) -> AssignEndUser:
        return AssignEndUser(
            entity_id=target.entity_id,
            subject=target.subject,
            caller=http.caller,
            identity_id=body.identity_id,
            address_id=body.address_id,
            document_ids=tuple(body.document_ids),
        )

    return await http.batch(body.dids, _resolve, make)


@router.post("/accounts", status_code=201, tags=["accounts"], response_model=Account)
async def create_account(http: Http, body: AccountBody) -> Response:
    """Create an account below one's own; the same again is 200."""
    http.require(*RESELLERS)
    command = CreateAccount(entity_id=body.path, subject="", caller=http.caller, **body.model_dump())
    return await http.run(command, status=201, render=lambda made: ACCOUNT.dump_python(made, mode="json"))


@router.get("/accounts", tags=["accounts"])
async def list_accounts(http: Http) -> Page:
    """The accounts of the caller's subtree."""
    return await http.page(store.account_tree(http.caller), sort=store.ACCOUNT_SORTS, render=_account)


async def _found(http: HttpContext, text: str) -> Any:
    name = parse_name(text)
    known = isinstance(name, UUID) or is_number(name)
    rows = await http.rows(store.one_did(http.caller, name)) if known else []
    if not rows:
        raise http.problem(404, "not_found", "No such number.")
    return rows[0]


async def _resolve(http: HttpContext, names: list[str]) -> Mapping[str, Target]:
    ids = [name for name in map(parse_name, names) if isinstance(name, UUID)]
    rows = await http.rows(store.living(http.caller, ids, numbers_among(names)))
    targets: dict[UUID | str, Target] = {}
    for row in rows:
        target = Target(entity_id=row["did_id"], subject=row["number"])
        targets |= {row["did_id"]: target, row["number"]: target}
    parsed = {name: parse_name(name) for name in names}
    return {name: targets[meant] for name, meant in parsed.items() if meant in targets}


def _json(did: DidShown) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = SHOWN.dump_python(did, mode="json")
    return plain


def _did(row: Any) -> Mapping[str, Any]:
    return _json(shown(store.did_in(row), row["now"]))


def _entry(row: Any) -> Mapping[str, Any]:
    entry = store.entry_in(row)
    plain: Mapping[str, Any] = msgspec.to_builtins(entry)
    told = {name: plain[name] for name in TOLD}
    return {"position": row["position"], **told, "cause": _cause(entry)}


def _cause(entry: HistoryEntry) -> Mapping[str, Any] | None:
    """Name the event that an entry tells of; what came over HTTP has none."""
    if entry.event_id is None:
        return None
    return {
        "source": entry.source,
        "id": entry.event_id,
        "sequence": entry.event_sequence,
        "causationid": entry.causation_id,
    }


def _account(row: Any) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = ACCOUNT.dump_python(store.account_in(row), mode="json")
    return plain
