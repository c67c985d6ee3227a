"""What all targets have in common: when they can be changed and deleted.

A target is deleted only while no live DID, no group and no configuration profile uses it. The uses are counted under
the target's exclusive lock. Every decision that sets the target on a DID, or names it in a group or a profile, holds
the same lock in shared mode, so nothing can start to use it in between.
Source: spec provisioning, Routing.
"""

from datetime import datetime
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, NewJob, Unchanged
from didflow_provisioning.domain.in_use import Users, in_use
from didflow_provisioning.domain.profiles.profile import NamingProfiles
from didflow_provisioning.domain.serves_below import ServesBelow
from didflow_provisioning.domain.targets.commands import ChangeTarget, ReplaceTarget


class Target(ServesBelow, frozen=True, kw_only=True):
    """A target of an account. A deleted one cannot be set on a DID."""


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


def deleted(target: Target, use: Use | None, naming: NamingProfiles | None, what: str) -> Decision:
    """Delete a target. Refused `in_use` with the counts while live DIDs, groups or configuration profiles use it."""
    users = Users(
        dids=use.dids if use else 0,
        groups=use.groups if use else 0,
        profiles=naming.profiles if naming else 0,
    )
    refused = in_use(what, users, "replace it on the DIDs or clear their routing")
    return refused or Decided(state=replace(target, deleted=True))


def is_used(use: Use | None) -> bool:
    """Return True if a live DID or a group uses the target, so that a change of it has DIDs to reach."""
    return use is not None and use.dids + use.groups > 0
