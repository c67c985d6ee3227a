"""Requirements over HTTP, with the what-if."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from didflow_chassis.http import Http, HttpContext, parse_name
from didflow_chassis.http.batch import check_size
from didflow_verification import store
from didflow_verification.api.asking import READERS
from didflow_verification.api.requirements.bodies import EvaluateBody, RequirementsQuery
from didflow_verification.api.requirements.shown import (
    EvaluatedAll,
    EvaluatedDid,
    RequirementShown,
    evaluated,
    evaluated_all,
    requirement_shown,
)
from didflow_verification.api.requirements.whatif import expected_for_dids, expected_for_kind
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.catalogue.rules import ANYWHERE, CountryRules, row_for, rows_in_force

router = APIRouter(prefix="/v1")


@router.get("/requirements", tags=["requirements"])
async def list_requirements(
    http: Http, query: Annotated[RequirementsQuery, Query()]
) -> list[RequirementShown]:
    """What countries ask for on a day; with a country and a number type, the rows that decide about it."""
    day = query.on or (await http.rows(store.NOW))[0]["now"].date()
    found = [store.state_in(store.RULES, row) for row in await http.rows(store.all_rules())]
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
    return [
        requirement_shown(country, row)
        for country, row in listed
        if query.end_user_type is None or row_for((row,), query.end_user_type)
    ]


@router.post("/requirements/evaluate", tags=["requirements"])
async def evaluate(http: Http, body: EvaluateBody) -> EvaluatedAll:
    """Say what a submission of these details would give now, every check listed. Changes nothing."""
    http.require(*READERS)
    if body.dids is None:
        return evaluated_all(evaluated(await expected_for_kind(http, body)), [])
    check_size(body.dids, field="dids")
    found = await _registrations(http, body.dids)
    expected = await expected_for_dids(http, body, {r.did_id: r for r in found.values()}.values())
    entries = [
        EvaluatedDid(did=name, evaluation=evaluated(expected[found[name].did_id]))
        if name in found
        else EvaluatedDid(did=name, code="not_found")
        for name in body.dids
    ]
    return evaluated_all(None, entries)


async def _registrations(http: HttpContext, names: list[str]) -> Mapping[str, Registration]:
    """Find the living DID that each name stands for, in one statement; names of nothing are left out."""
    named = {name: parse_name(name) for name in names}
    rows = await http.rows(store.registrations_named(set(named.values()), http.caller))
    found: dict[UUID | str, Registration] = {}
    for registration in (store.state_in(store.REGISTRATIONS, row) for row in rows):
        found.setdefault(registration.did_id, registration)
        found.setdefault(registration.number, registration)
    return {name: found[key] for name, key in named.items() if key in found}
