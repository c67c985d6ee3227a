"""The refusal to delete what is in use: it says by what it is used, how often, and what must be done first.

Source: spec provisioning, Routing.
"""

from typing import NamedTuple

from didflow_chassis.decision import Refused
from didflow_provisioning.domain.serves_below import LIVE_DID, counted


class Users(NamedTuple):
    """How many live DIDs, voice trunk groups and configuration profiles use something."""

    dids: int = 0
    groups: int = 0
    profiles: int = 0


def in_use(what: str, users: Users, free_dids: str) -> Refused | None:
    """Return the refusal `in_use`, or None if nothing uses it.

    `what` is what it is called. `free_dids` says how the DIDs stop using it.
    """
    uses = {LIVE_DID: users.dids, "voice trunk group": users.groups, "configuration profile": users.profiles}
    named = [counted(count, noun) for noun, count in uses.items() if count]
    if not named:
        return None
    verb = "uses" if sum(users) == 1 else "use"
    return Refused(
        "in_use", f"{_listed(named)} {verb} this {what}. {_first(users, free_dids)}, then delete it."
    )


def _first(users: Users, free_dids: str) -> str:
    """Return what must be done before the deletion, as the beginning of a sentence."""
    naming = [
        name
        for name, count in (("voice trunk groups", users.groups), ("configuration profiles", users.profiles))
        if count
    ]
    taken_out = " and ".join(f"of the {name}" for name in naming)
    steps = [free_dids] if users.dids else []
    steps += [f"take it out {taken_out}"] if naming else []
    first, *others = steps
    return ", and ".join((first[0].upper() + first[1:], *others))


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
