"""How numbers enter the stock of an account, one by one or, if there are many, by a job.

Source: spec inventory, `stock`; spec lifecycle, Stock and holders.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, NewJob, Refused, Unchanged
from didflow_contracts.areas import area_name
from didflow_contracts.numbers import country_of, number_type_of
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import refusal_of_carriers
from didflow_inventory.domain.accounts.default_carriers import Carriers, carriers_for, default_carriers
from didflow_inventory.domain.stock.availability import refusal_by_numbering_plan, refusal_of_used
from didflow_inventory.domain.stock.commands import AddManyNumbers, AddNumber, StockFields
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.permission import refusal_of_external_numbers
from didflow_inventory.domain.stock.ranges import NumberRange

UPLOAD: Final = "add_numbers"
"""The kind of the job."""


class Upload(Struct, frozen=True, kw_only=True):
    """The parameters of the job."""

    ranges: tuple[NumberRange | str, ...]
    fields: StockFields


def add_number(
    number: Number | None, command: AddNumber, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Add a number to the stock of the caller's account. The same again is unchanged.

    Refused with `account_unknown`, `external_numbers_not_allowed`, `invalid_number`, `number_taken` (a live DID, or in
    the stock of another account), `number_releasing`, and `number_exists` (in this stock, with other properties).
    """
    caller, name = command.caller, str(command.entity_id)
    given = Carriers(carrier=command.fields.carrier, sms_carrier=command.fields.sms_carrier)
    refusal = (
        refusal_of_uploader(caller, known.get(Account, caller.account))
        or refusal_by_numbering_plan(name, None)
        or refusal_of_carriers(given, caller.account, known, deployment_carrier)
    )
    if refusal is not None:
        return refusal
    before = number or Number(number=name)
    default = default_carriers(caller.account, known, deployment_carrier)
    added = _added(before, command.fields, caller.account, default)
    if before.stock is not None and before.did_id is None:
        return _repeat(before, added, caller)
    stocked = replace(added, uploaded_at=now, region=area_name(name))
    return refusal_of_used(before) or Decided(state=stocked)


def add_many_numbers(account: Account | None, command: AddManyNumbers, now: datetime) -> Decision:
    """Start the job. Refused if the account may not add numbers at all."""
    refusal = refusal_of_uploader(command.caller, account)
    if refusal is not None:
        return refusal
    parameters = Upload(ranges=command.ranges, fields=command.fields)
    job = NewJob.of(command.caller, job_id=command.job_id, kind=UPLOAD, now=now, parameters=parameters)
    return Decided(also=(job,), answer=job)


def refusal_of_uploader(caller: Caller, account: Account | None) -> Refused | None:
    """Return why the caller may not add numbers to the stock of its account; None if it may."""
    if account is None:
        return Refused("account_unknown", f"The account {caller.account} does not exist.", "account")
    return refusal_of_external_numbers(caller, account)


def _added(before: Number, fields: StockFields, account: str, default: Carriers) -> Number:
    given = Carriers(carrier=fields.carrier, sms_carrier=fields.sms_carrier)
    carriers = carriers_for(fields.features, given, default)
    return replace(
        before,
        stock=fields.status,
        uploaded_by=account,
        country=country_of(before.number),
        number_type=fields.number_type or number_type_of(before.number),
        features=fields.features,
        operator=fields.operator,
        carrier=carriers.carrier,
        sms_carrier=carriers.sms_carrier,
        tag=fields.tag,
        notes=fields.notes,
        after_hold=fields.after_hold,
    )


def _repeat(before: Number, added: Number, caller: Caller) -> Decision:
    """Return what becomes of a number that is in stock already. Whoever holds or reserved it is no difference."""
    if before.uploaded_by != caller.account:
        return Refused("number_taken", "This number is in the stock of another account.", "number")
    if replace(added, stock=before.stock) != before:
        return Refused(
            "number_exists", "This number is in your stock with other properties. Edit it.", "number"
        )
    return Unchanged()
