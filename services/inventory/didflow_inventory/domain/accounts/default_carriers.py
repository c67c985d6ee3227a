"""The default carriers: what a number gets whose carriers nobody names."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from didflow_chassis.decision import Known
from didflow_contracts.accounts import lineage
from didflow_contracts.vocabulary import Features
from didflow_inventory.domain.accounts.account import Account

CALLS: Final = frozenset(("voice_in", "voice_out", "fax", "emergency", "cnam"))
MESSAGES: Final = frozenset(("sms_in", "sms_out", "a2p_sms"))


class Carriers(Struct, frozen=True, kw_only=True):
    """The carriers of calls and of messages; None where the number needs no such carrier."""

    carrier: str | None
    sms_carrier: str | None


def own_carriers(account: Account) -> Carriers:
    """Return the carriers that an account names itself. Its carrier of calls serves messages too if it names no other.

    Source: spec inventory, `account`.
    """
    return Carriers(
        carrier=account.default_carrier, sms_carrier=account.default_sms_carrier or account.default_carrier
    )


def default_carriers(path: str, known: Known, deployment_default: str) -> Carriers:
    """Return the default carriers of an account: of the nearest account from it upwards, else the deployment's.

    Calls and messages are looked up one by one. Source: spec lifecycle, Stock and holders.
    """
    named = [
        own_carriers(account) for above in lineage(path) if (account := known.get(Account, above)) is not None
    ]
    calls = filter(None, (own.carrier for own in named))
    messages = filter(None, (own.sms_carrier for own in named))
    return Carriers(carrier=next(calls, deployment_default), sms_carrier=next(messages, deployment_default))


def carriers_for(features: Features, given: Carriers, default: Carriers) -> Carriers:
    """Return the carriers of a number, with the defaults for calls and messages where none is given.

    Fax counts as calls. A number without features for calls or messages still has a carrier that activates it.
    """
    messages = not MESSAGES.isdisjoint(features)
    calls = not messages or not CALLS.isdisjoint(features)
    return Carriers(
        carrier=given.carrier or (default.carrier if calls else None),
        sms_carrier=given.sms_carrier or (default.sms_carrier if messages else None),
    )


def carriers_after_edit(
    features: Features, present: Carriers, named: Mapping[str, str | None], default: Carriers
) -> Carriers:
    """Return the carriers of a number after an edit of its features or carriers, in stock or as a DID.

    `named` are the fields of `Carriers` that the edit names; None asks for the default. What it does not name stays,
    but a number without features for messages keeps no carrier for them.
    """
    kept = {
        "carrier": present.carrier,
        "sms_carrier": None if MESSAGES.isdisjoint(features) else present.sms_carrier,
    }
    return carriers_for(features, Carriers(**kept | dict(named)), default)
