"""Routes of reservations."""

import random
from functools import partial
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.decision import Command, Refused
from didflow_chassis.http import Http, HttpContext, Router, check_size
from didflow_chassis.stage.call import CommandDecision
from didflow_contracts.ids import uuid7
from didflow_contracts.names import parse_number
from didflow_inventory.api.stock.bodies import ReservationBody
from didflow_inventory.api.stock.responses import ReservationAnswer, reservation_json
from didflow_inventory.domain.stock.reservation import CancelReservation, Reserve
from didflow_inventory.store import stock

router = Router(tags=["reservations"])


@router.post("/reservations", action="purchase", status_code=201, response_model=ReservationAnswer)
async def create_reservation(http: Http, body: ReservationBody) -> Response:
    """Reserve free numbers for your account: all that you want, or none. Your account alone can then purchase them."""
    choose = partial(_choice, http, body)
    if body.numbers is not None:
        check_size(body.numbers, field="numbers")
        return await http.run(await choose(), status=201, render=reservation_json)
    return await http.run_choice(choose, is_outdated=_is_outdated, status=201, render=reservation_json)


@router.delete("/reservations/{reservation_id}", action="purchase", status_code=204)
async def cancel_reservation(http: Http, reservation_id: UUID) -> Response:
    """End a reservation. Its numbers that were not sold are in stock again."""
    command = CancelReservation(entity_id=reservation_id, subject="", caller=http.caller)
    return await http.run(command, status=204)


async def _choice(http: HttpContext, body: ReservationBody) -> Reserve:
    """Return the command with the numbers that are named, or with free ones of the country, chosen at random.

    So callers at the same time rarely choose the same numbers.
    """
    if body.country is None or body.count is None:
        names = dict.fromkeys(parse_number(name) or name for name in body.numbers or ())
        numbers, count = [name for name in names if parse_number(name)], len(names)
    else:
        rows = await http.rows(stock.free_numbers(http.caller, body.country, body.count))
        numbers, count = [row["number"] for row in rows], body.count
        numbers = sorted(random.sample(numbers, min(count, len(numbers))))
    return Reserve(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        numbers=tuple(numbers),
        count=count,
        minutes=body.minutes,
    )


def _is_outdated(command: Command, decision: CommandDecision) -> bool:
    """Return True if enough numbers were free when they were chosen, and fewer when it was decided."""
    is_refused = isinstance(decision, Refused) and decision.code == "not_enough_numbers"
    return is_refused and isinstance(command, Reserve) and len(command.numbers) == command.count
