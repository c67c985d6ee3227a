"""Routes of requirements, with the what-if."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Query

from didflow_chassis.http import Http, HttpContext, Page, Router, check_size
from didflow_contracts.names import parse_did
from didflow_verification import store
from didflow_verification.api.requirements.bodies import EvaluateBody, RequirementsQuery
from didflow_verification.api.requirements.responses import (
    DidEvaluation,
    DocumentTypeResponse,
    EvaluateResponse,
    RequirementResponse,
    evaluate_response,
    evaluation_response,
    requirement_response,
)
from didflow_verification.api.requirements.what_if import expected_for_dids, expected_for_kind
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.document_types import document_types
from didflow_verification.domain.requirements import ANYWHERE, CountryRules, row_for, rows_in_force

router = Router(tags=["requirements"])


@router.get("/requirements", action="read_requirements")
async def list_requirements(http: Http, query: Annotated[RequirementsQuery, Query()]) -> Page:
    """List what countries require on a day. With a country and a number type, list the rows that apply."""
    day = query.on or (await http.now()).date()
    found = [store.state_of(store.RULES, row) for row in await http.rows(store.all_rules())]
    rules: dict[str, CountryRules] = {each.country: each for each in found}
    if query.country and query.number_type:
        rows = rows_in_force(rules.get(query.country), rules.get(ANYWHERE), query.number_type, day)
        listed = [(query.country, row) for row in rows]
    else:
        wanted = [rules[query.country]] if query.country in rules else [] if query.country else found
        types = (query.number_type,) if query.number_type else store.NUMBER_TYPES
        listed = [
            (each.country, row)
            for each in wanted
            for row in dict.fromkeys(r for kind in types for r in each.in_force(kind, day))
        ]
    items = [
        requirement_response(country, row)
        for country, row in listed
        if query.end_user_type is None or row_for((row,), query.end_user_type)
    ]
    return http.page_of_items(items, sort="country", key=_order, render=RequirementResponse.model_dump)


@router.get("/document-types", action="read_requirements")
async def list_document_types(http: Http) -> Page:
    """List the types of documents that can be uploaded, with the keys that their `states` may have."""
    rows = await http.rows(store.all_rules())
    known = document_types(store.state_of(store.RULES, row) for row in rows)
    items = [DocumentTypeResponse(type=kind, states=list(keys)) for kind, keys in known.items()]
    return http.page_of_items(
        items, sort="type", key=lambda item: item.type, render=DocumentTypeResponse.model_dump
    )


@router.post("/requirements/evaluate", action="evaluate")
async def evaluate(http: Http, body: EvaluateBody) -> EvaluateResponse:
    """Evaluate details: what a submission would give now, with every check. Nothing is changed."""
    if body.dids is None:
        return evaluate_response(evaluation_response(await expected_for_kind(http, body)), [])
    check_size(body.dids, field="dids")
    found = await _registrations(http, body.dids)
    expected = await expected_for_dids(http, body, {r.did_id: r for r in found.values()}.values())
    evaluations = [
        DidEvaluation(did=name, evaluation=evaluation_response(expected[found[name].did_id]))
        if name in found
        else DidEvaluation(did=name, code="not_found")
        for name in body.dids
    ]
    return evaluate_response(None, evaluations)


def _order(item: RequirementResponse) -> str:
    return f"{item.country} {item.key} {item.version}"


async def _registrations(http: HttpContext, names: list[str]) -> Mapping[str, Registration]:
    """Return the live DID of each name, with one statement. Names without a DID are left out."""
    named = {name: did for name in names if (did := parse_did(name)) is not None}
    rows = await http.rows(store.registrations_named(set(named.values()), http.caller))
    found: dict[UUID | str, Registration] = {}
    for registration in (store.state_of(store.REGISTRATIONS, row) for row in rows):
        found.setdefault(registration.did_id, registration)
        found.setdefault(registration.number, registration)
    return {name: found[key] for name, key in named.items() if key in found}
