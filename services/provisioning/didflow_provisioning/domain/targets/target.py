"""What all targets have in common: their owner, whom they serve, and when they can be changed and deleted.

A target is deleted only while no live DID and no group uses it. The uses are counted under the target's exclusive
lock. Every decision that sets the target on a DID holds the same lock in shared mode, so no DID can start to use it in
between.
Source: spec provisioning, Routing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, NewJob, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_provisioning.domain.targets.commands import ChangeTarget, ReplaceTarget

NO_ACCOUNT: Final = Refused("not_found", "No such account among your accounts.", "account")


class Target(Struct, frozen=True, kw_only=True):
    """A target of an account. It serves the account and the accounts below. A deleted one cannot be set on a DID."""

    account: str
    name: str
    created_at: datetime
    deleted: bool = False

    def serves(self, account: str) -> bool:
        """Return True if a DID of this account may use the target."""
        return not self.deleted and is_within(account, self.account)

    def is_usable_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches the target or is served by it. It is the rule of `serving`."""
        return not self.deleted and (self.serves(caller.account) or caller.reaches(self.account))

    def is_changeable_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches the target. Nobody else learns whether it exists or is in use."""
        return not self.deleted and caller.reaches(self.account)


AnyTarget = TypeVar("AnyTarget", bound=Target)


class Use(Protocol):
    """How many live DIDs and groups use a target."""

    @property
    def dids(self) -> int:
        """The number of live DIDs."""
        ...

    @property
    def groups(self) -> int:
        """The number of groups."""
        ...


def not_found(what: str, field: str | None = None) -> Refused:
    """Return the refusal of a target that does not exist for the caller. `what` is what it is called."""
    return Refused("not_found", f"No such {what} in your accounts.", field)


def created(target: Target | None, new: Target, caller: Caller) -> Decision:
    """Create a target. Refused `not_found` if the caller does not reach the account."""
    if target is not None:
        return Unchanged(answer=target)
    return Decided(state=new, answer=new) if caller.reaches(new.account) else NO_ACCOUNT


def changed(
    before: AnyTarget,
    after: AnyTarget,
    command: ChangeTarget | ReplaceTarget,
    now: datetime,
    *,
    use: Use | None,
    job: tuple[str, Any],
) -> Decision:
    """Change a target. If something uses it, start the job that lets each DID on it take the change.

    `job` is the kind of the job and its parameters. The answer is the target, or the job.
    """
    if after == before:
        return Unchanged(answer=before)
    if not is_used(use):
        return Decided(state=after, answer=after)
    new_job = started(command, job, now)
    return Decided(state=after, also=(new_job,), answer=new_job)


def started(command: ChangeTarget | ReplaceTarget, job: tuple[str, Any], now: datetime) -> NewJob:
    """Return the job of a kind with these parameters, in the name of the caller."""
    kind, parameters = job
    return NewJob.of(command.caller, job_id=command.job_id, kind=kind, now=now, parameters=parameters)


def deleted(target: Target, use: Use | None, what: str) -> Decision:
    """Delete a target. Refused `in_use` with the count while live DIDs or groups use it."""
    if use is not None and is_used(use):
        return Refused("in_use", _in_use(use, what))
    return Decided(state=replace(target, deleted=True))


def is_used(use: Use | None) -> bool:
    """Return True if a live DID or a group uses the target."""
    return use is not None and use.dids + use.groups > 0


def _in_use(use: Use, what: str) -> str:
    uses = [_counted(use.dids, "live DID"), _counted(use.groups, "group")]
    named: Sequence[str] = [each for each in uses if each]
    verb = "uses" if use.dids + use.groups == 1 else "use"
    return f"{' and '.join(named)} {verb} this {what}. Replace it on them or clear their routing, then delete it."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
