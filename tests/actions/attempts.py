"""What a caller sends for each action: the route, and the command that the route makes.

A request names only what exists and serves the DID, so that no refusal comes from what is named.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

from actions.conditions import DATA, Condition
from actions.estate import (
    ACCOUNTS,
    DID_ID,
    UUID_OF,
    end_user,
    profiles_of,
    sms_trunks_of,
    trunks_of,
    users_of,
)

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_chassis.decision import OPERATOR, Caller, Command
from didflow_contracts.accounts import is_within, lineage
from didflow_contracts.ids import derived_id
from didflow_contracts.vocabulary import AdditionalService
from didflow_inventory.domain.commands import AssignEndUser
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.my_numbers.actions import OfferedAction
from didflow_provisioning.domain import commands as p
from didflow_provisioning.domain.profiles.commands import ApplyProfile
from didflow_verification.domain.axes.service_request import ServiceData
from didflow_verification.domain.commands import CancelService, CorrectService, RequestService

Fields = dict[str, Any]
Make = Callable[[Condition, Fields, Random], Command]


class Attempt(NamedTuple):
    """One way to do an action: the service, the path of the route, and the command of a request."""

    service: str
    path: str
    make: Make


def _holding(command: type[c.DidCommand], **values: Any) -> Make:
    return lambda _condition, fields, _random: command(**fields, **values)


def _assign_account(condition: Condition, fields: Fields, random: Random) -> Command:
    """Name an account below the caller's that does not hold the DID. An operator stays in the tree of the holder."""
    caller: Caller = fields["caller"]
    holder = condition.holding.account
    top = lineage(holder)[-1] if caller.role == OPERATOR else caller.account
    below = [path for path in ACCOUNTS if is_within(path, top) and path not in (caller.account, holder)]
    return c.AssignAccount(**fields, account=random.choice(below or [f"{top}/none"]))


def _assign_user(condition: Condition, fields: Fields, random: Random) -> Command:
    """Name a user of the holder."""
    return c.AssignUser(**fields, user_id=random.choice(users_of(condition.holding.account)).user_id)


def _assign_end_user(condition: Condition, fields: Fields, random: Random) -> Command:
    """Name an end user of the holder."""
    user = end_user(random.choice(("acme", "new")), condition.holding.account, condition.country)
    ids = {"identity_id": user.identity.identity_id, "address_id": user.address.address_id}
    return AssignEndUser(**fields, **ids, document_ids=())


def _routing(command: type[p.RoutingCommand], **choices: Any) -> Make:
    """Return a command about the routing, with one of the values of each field."""

    def make(_condition: Condition, fields: Fields, random: Random) -> Command:
        chosen = {name: random.choice(values) for name, values in choices.items()}
        return command(**fields, next_command_id=UUID_OF["next"], **chosen)

    return make


def _set_voice(condition: Condition, fields: Fields, random: Random) -> Command:
    trunk = random.choice(trunks_of(lineage(condition.holding.account)[-1]))
    return p.SetVoice(**fields, next_command_id=UUID_OF["next"], voice_trunk_id=trunk.trunk_id)


def _apply_profile(condition: Condition, fields: Fields, random: Random) -> Command:
    """Name a profile of the root of the tree, with a trunk or with a capacity."""
    profile = random.choice(profiles_of(lineage(condition.holding.account)[-1]))
    return ApplyProfile(
        **fields, next_command_id=UUID_OF["next"], configuration_profile_id=profile.profile_id
    )


def _set_sms(condition: Condition, fields: Fields, random: Random) -> Command:
    trunk = random.choice(sms_trunks_of(lineage(condition.holding.account)[-1]))
    return p.SetSms(**fields, next_command_id=UUID_OF["next"], sms_trunk_id=trunk.trunk_id)


def _retry_carrier(condition: Condition, fields: Fields, _random: Random) -> Command:
    """Name the command that failed for good; else one that is known or not."""
    failures = condition.routing.failures
    failed = failures[0].command_id if failures else UUID_OF["activation"]
    return p.RetryCarrierCommand(**fields, next_command_id=UUID_OF["next"], command_id=failed)


def _data(condition: Condition, service: AdditionalService) -> Fields:
    """Return complete data of a service, with the address of the end user in force."""
    address = {"address_id": condition.identity.address.address_id} if condition.identity else {}
    return {**DATA[service], **(address if service == "emergency" else {})}


def _request(service: AdditionalService) -> Make:
    def make(condition: Condition, fields: Fields, _random: Random) -> Command:
        data = ServiceData(**_data(condition, service))
        return RequestService(**fields, request_id=derived_id("next", service), service=service, data=data)

    return make


def _correct(service: AdditionalService) -> Make:
    def make(condition: Condition, fields: Fields, _random: Random) -> Command:
        return CorrectService(
            **fields, request_id=_request_id(condition, service), changes=_data(condition, service)
        )

    return make


def _cancel(service: AdditionalService) -> Make:
    return lambda condition, fields, _random: CancelService(
        **fields, request_id=_request_id(condition, service)
    )


def _request_id(condition: Condition, service: AdditionalService) -> UUID:
    """Return the id of the last request of a service, or an unknown one if there never was one."""
    found = condition.requests.get(service)
    return found.request_id if found else derived_id("no request")


def _terms(path: str, make: Make) -> Attempt:
    return Attempt("billing", f"/v1/terms/batch/{path}", make)


def _dids(path: str, make: Make) -> Attempt:
    return Attempt("inventory", f"/v1/dids/batch/{path}", make)


_REQUESTS: Final = "/v1/service-requests"

ATTEMPTS: Final[Mapping[OfferedAction, Attempt]] = {
    "assign_end_user": _dids("assign-end-user", _assign_end_user),
    "set_cycles": _terms(
        "set-cycles", lambda _c, f, random: SetCycles(**f, billing_cycles=random.choice((None, 0, 1, 999)))
    ),
    "renew": _terms("renew", lambda _c, f, random: Renew(**f, billing_period=random.choice((1, 3, 6, 12)))),
    "restore": _terms("restore", lambda _c, f, _r: Restore(**f, billing_period=1)),
    "cancel": _terms("cancel", lambda _c, f, _r: Cancel(**f)),
    "remove": _terms("cancel", lambda _c, f, _r: Cancel(**f, remove=True)),
    "set_voice": Attempt("provisioning", "/v1/routing/batch/set-voice", _set_voice),
    "set_sms": Attempt("provisioning", "/v1/routing/batch/set-sms", _set_sms),
    "set_capacity": Attempt(
        "provisioning",
        "/v1/routing/batch/set-capacity",
        _routing(p.SetCapacity, capacity=(None, 0, 5, "unlimited")),
    ),
    "apply_profile": Attempt("provisioning", "/v1/routing/batch/apply-profile", _apply_profile),
    "clear_routing": Attempt("provisioning", "/v1/routing/batch/clear", _routing(p.ClearRouting)),
    "edit": _dids("edit", _holding(c.EditDid, edits=c.Edits(notes="A note."))),
    "assign_account": _dids("assign-account", _assign_account),
    "assign_user": _dids("assign-user", _assign_user),
    "take_back": _dids("take-back", _holding(c.TakeBack)),
    "hold": _dids(
        "hold", lambda _c, f, random: c.HoldDid(**f, days=random.choice((3, 5)), after_hold="back")
    ),
    "block": _dids("block", _holding(c.BlockDid)),
    "unhold": _dids("unhold", _holding(c.UnholdDid)),
    "unblock": _dids("unblock", _holding(c.UnblockDid)),
    "port_out": _dids("port-out", _holding(c.PortOut)),
    "return": _dids("return", _holding(c.ReturnDid)),
    "cancel_porting": Attempt("inventory", "/v1/portings/{did}/cancel", _holding(c.CancelPorting)),
    "request_emergency": Attempt("verification", _REQUESTS, _request("emergency")),
    "request_a2p_sms": Attempt("verification", _REQUESTS, _request("a2p_sms")),
    "request_cnam": Attempt("verification", _REQUESTS, _request("cnam")),
    "correct_emergency": Attempt(
        "verification", f"{_REQUESTS}/{{request_id}}/correct", _correct("emergency")
    ),
    "correct_a2p_sms": Attempt("verification", f"{_REQUESTS}/{{request_id}}/correct", _correct("a2p_sms")),
    "cancel_emergency": Attempt("verification", f"{_REQUESTS}/{{request_id}}/cancel", _cancel("emergency")),
    "cancel_a2p_sms": Attempt("verification", f"{_REQUESTS}/{{request_id}}/cancel", _cancel("a2p_sms")),
    "cancel_cnam": Attempt("verification", f"{_REQUESTS}/{{request_id}}/cancel", _cancel("cnam")),
    "retry_carrier": Attempt("provisioning", "/v1/commands/{command_id}/retry", _retry_carrier),
}
"""Action -> how it is done."""


def command_of(action: OfferedAction, condition: Condition, caller: Caller, random: Random) -> Command:
    """Return the command that a caller sends for an action."""
    fields = {"entity_id": DID_ID, "subject": condition.holding.number, "caller": caller}
    return ATTEMPTS[action].make(condition, fields, random)
