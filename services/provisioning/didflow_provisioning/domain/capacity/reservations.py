"""A DID takes channels of its own or reserves channels of a group, and the groups follow each change of a routing."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Known, Refused
from didflow_contracts.vocabulary import Channels
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.routing import Routing

CHANNELS_OF_A_MEMBER = 1
"""What a member reserves if it does not say how many channels. Source: spec provisioning, Routing."""


class Reservation(NamedTuple):
    """The channels that a DID has reserved, and in which group."""

    group_id: UUID
    channels: int


def with_capacity(
    routing: Routing, capacity: Channels | None, group_id: UUID | None, known: Known
) -> Routing | Refused:
    """Return the routing with channels of its own, or as a member of a group.

    Refused `capacity_group_not_found` if the group does not serve the DID's account, and `capacity_exhausted` if the
    group has too few free channels.
    """
    if group_id is None:
        return replace(routing, capacity=capacity, capacity_group=None)
    group = known.get(CapacityGroup, group_id)
    if group is None or not group.serves(routing.account):
        return Refused(
            "capacity_group_not_found",
            "No such capacity group serves this number. Use a group of the number's account or of an account above.",
            "capacity_group_id",
        )
    wanted = capacity if isinstance(capacity, int) else CHANNELS_OF_A_MEMBER
    present = reservation_of(routing)
    own = present.channels if present is not None and present.group_id == group_id else 0
    if not group.has_room_for(wanted - own):
        return Refused("capacity_exhausted", _exhausted(group), "capacity_group_id")
    return replace(routing, capacity=wanted, capacity_group=group.membership)


def without_capacity(routing: Routing) -> Routing:
    """Return the routing without capacity. What it has reserved is free again."""
    return replace(routing, capacity=None, capacity_group=None)


def reservation_of(routing: Routing | None) -> Reservation | None:
    """Return what a DID has reserved. None without a routing or a group."""
    if routing is None or routing.capacity_group is None:
        return None
    channels = routing.capacity if isinstance(routing.capacity, int) else 0
    return Reservation(routing.capacity_group.group_id, channels)


def changed_groups(
    changes: Iterable[tuple[Routing | None, Routing]], known: Known
) -> tuple[CapacityGroup, ...]:
    """Return the groups in which changes of routings, each from a former one to a new one, reserve or free channels."""
    groups: dict[UUID, CapacityGroup] = {}
    for before, after in changes:
        freed, reserved = reservation_of(before), reservation_of(after)
        if freed == reserved:
            continue
        for reservation, sign in ((freed, -1), (reserved, 1)):
            if reservation is not None:
                group = groups.get(reservation.group_id) or known.get(CapacityGroup, reservation.group_id)
                if group is None:
                    raise LookupError(f"capacity group {reservation.group_id} has members and does not exist")
                groups[group.group_id] = replace(
                    group, reserved=group.reserved + sign * reservation.channels, dids=group.dids + sign
                )
    return tuple(groups.values())


def _exhausted(group: CapacityGroup) -> str:
    free = max(group.free, 0)
    return f"The capacity group has {group.channels} channels, and {free} of them are free."
