"""Hold and unhold. A hold stops calls, not the term. Source: spec lifecycle, Stock and holders."""

from datetime import datetime, timedelta

from didflow_chassis.decision import Decision, Known, Unchanged
from didflow_contracts.instants import later
from didflow_contracts.vocabulary import AfterHold, HeldBy
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.commands import HoldDid, UnholdDid
from didflow_inventory.domain.holding.holding import Holding, Step
from didflow_inventory.domain.holding.rules import NOT_FOUND, is_out_of_reach, refusal_of_action
from didflow_inventory.domain.holding.stock_axis import moved
from didflow_inventory.domain.packages.package import ended_package


def hold(did: Did | None, command: HoldDid, now: datetime) -> Decision:
    """Put a DID on hold. The same hold again is unchanged: it does not last longer.

    Refused `not_found`, `wrong_stock_state`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    holding = did.holding
    after_hold = _after(holding, command.after_hold)
    if _is_repeat(holding, command.days, after_hold):
        return Unchanged()
    refusal = refusal_of_action("hold", holding, did.views, command.caller)
    if refusal is not None:
        return refusal
    return changed(did, held(holding, "hand", command.days, after_hold, now), now)


def held(holding: Holding, by: HeldBy, days: int, after_hold: AfterHold | None, now: datetime) -> Holding:
    """Return the holding on hold, whoever put it there. Without `after_hold`, what it has for its next hold applies.

    Raises ForbiddenTransitionError if a hold is not possible now.
    """
    return moved(
        holding,
        "hold",
        "on_hold",
        held_since=now,
        until=later(now, timedelta(days=days)),
        after_hold=_after(holding, after_hold),
        held_by=by,
        before_hold=holding.stock,
    )


def unheld(holding: Holding, step: Step) -> Holding:
    """Return the holding as it was before its hold. `step` is what ended the hold."""
    return moved(holding, step, holding.before_hold or "assigned")


def after_hold(holding: Holding, step: Step, known: Known, now: datetime) -> Holding:
    """Return the holding after a hold that ended by hand or by its time: what it was before.

    After a hold by hand, a number whose package is inactive is put on hold by the package: meanwhile it could not be.
    """
    after = unheld(holding, step)
    package = ended_package(holding.package_key, known) if holding.held_by == "hand" else None
    return after if package is None else held(after, "package", package.hold_days, None, now)


def unhold(did: Did | None, command: UnholdDid, now: datetime, known: Known) -> Decision:
    """End a hold that was set by hand: the DID is again what it was before, unless its package is inactive.

    Refused `not_found`, `wrong_stock_state`, `held_by_package`.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    if did.holding.last_step == "unhold":
        return Unchanged()
    refusal = refusal_of_action("unhold", did.holding, did.views, command.caller)
    if refusal is not None:
        return refusal
    return changed(did, after_hold(did.holding, "unhold", known, now), now)


def _after(holding: Holding, given: AfterHold | None) -> AfterHold:
    return given or holding.next_after_hold or "back"


def _is_repeat(holding: Holding, days: int, after_hold: AfterHold) -> bool:
    """Return True if this hold is the one that the DID is on."""
    if holding.last_step != "hold" or holding.held_by != "hand" or holding.held_since is None:
        return False
    until = later(holding.held_since, timedelta(days=days))
    return (holding.until, holding.after_hold) == (until, after_hold)
