"""Which other states the decision on a message needs.

A message about a number may send one carrier command. Therefore each of them needs the number's queue and the carrier
command that the message may create.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Known
from didflow_chassis.service import Ref
from didflow_contracts.accounts import is_within, lineage
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged
from didflow_provisioning.domain.capacity.group import CapacityGroup
from didflow_provisioning.domain.carrier_command import (
    CarrierCommand,
    next_command_id,
    next_command_id_of_queue,
)
from didflow_provisioning.domain.carriers.silence import CarrierContact
from didflow_provisioning.domain.carriers.turns import CarrierLoad, CarrierTurns
from didflow_provisioning.domain.commands import SetCapacity, SetSms, SetVoice
from didflow_provisioning.domain.number_queue import NumberQueue
from didflow_provisioning.domain.profiles.application import is_new
from didflow_provisioning.domain.profiles.commands import (
    ApplyProfile,
    ChangeProfile,
    CreateProfile,
    DeleteProfile,
)
from didflow_provisioning.domain.profiles.lifecycle import NAMED
from didflow_provisioning.domain.profiles.profile import (
    AutomaticProfile,
    NamingProfiles,
    Profile,
    ProfileUse,
    automatic_profile,
)
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.targets.commands import (
    ChangeVoiceTrunkGroup,
    CreateVoiceTrunkGroup,
    ReplaceTarget,
)
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk, SmsTrunkUse
from didflow_provisioning.domain.targets.voice_trunk_groups import VoiceTrunkGroup
from didflow_provisioning.domain.targets.voice_trunks import VoiceTargetUse, VoiceTrunk
from didflow_provisioning.domain.timers import carriers_of
from didflow_provisioning.domain.timing import Timings


def queue(message: Any) -> Iterable[Ref]:
    """Return the number's queue and the carrier command that the message may create."""
    yield Ref(NumberQueue, message.subject, write=True)
    yield Ref(CarrierCommand, next_command_id(message), write=True)


def queue_and_voice_target(command: SetVoice) -> Iterable[Ref]:
    """Return in addition the voice target that will be set. Its shared lock keeps it from being deleted meanwhile."""
    yield from queue(command)
    if command.voice_trunk_group_id is not None:
        yield Ref(VoiceTrunkGroup, command.voice_trunk_group_id)
    else:
        yield Ref(VoiceTrunk, command.voice_trunk_id)


def queue_and_sms_trunk(command: SetSms) -> Iterable[Ref]:
    """Return in addition the SMS trunk that will be set. Its shared lock keeps it from being deleted meanwhile."""
    yield from queue(command)
    yield Ref(SmsTrunk, command.sms_trunk_id)


def trunks_of_group(routing: Routing | None, command: SetVoice, known: Known) -> Iterable[Ref]:
    """Return the voice trunks of the group that will be set, if it serves the DID. They are not changed meanwhile."""
    if command.voice_trunk_group_id is None or routing is None:
        return []
    group = known.get(VoiceTrunkGroup, command.voice_trunk_group_id)
    serves = group is not None and group.serves(routing.account)
    return trunks(group) if group is not None and serves else []


def queue_and_capacity_group(command: SetCapacity) -> Iterable[Ref]:
    """Return in addition the capacity group in which channels will be reserved."""
    yield from queue(command)
    if command.capacity_group_id is not None:
        yield Ref(CapacityGroup, command.capacity_group_id, write=True)


def capacity_group_of(routing: Routing | None, _message: Any, _known: Known) -> Iterable[Ref]:
    """Return the capacity group of a DID: the message may free what it has reserved."""
    if routing is not None and routing.capacity_group is not None:
        yield Ref(CapacityGroup, routing.capacity_group.group_id, write=True)


def queue_and_automatic_profiles(event: Event[DidChanged]) -> Iterable[Ref]:
    """Return in addition the automatic profiles of the holder and of the accounts above."""
    yield from queue(event)
    yield from (Ref(AutomaticProfile, path) for path in lineage(event.data.account))


def states_of_holding(routing: Routing | None, event: Event[DidChanged], known: Known) -> Iterable[Ref]:
    """Return what a new DID gets by its automatic profile, and the capacity group that a DID leaves."""
    if routing is not None and is_new(routing):
        profile = automatic_profile(event.data.account, known)
        yield from _named_by(profile, event.data.account, known) if profile else ()
    yield from _left_capacity_group(routing, event)


def queue_and_profile(command: ApplyProfile) -> Iterable[Ref]:
    """Return in addition the configuration profile that is applied."""
    yield from queue(command)
    yield Ref(Profile, command.configuration_profile_id)


def states_of_profile(routing: Routing | None, command: ApplyProfile, known: Known) -> Iterable[Ref]:
    """Return what a profile names, if it serves the DID, and the capacity group that the DID leaves."""
    profile = known.get(Profile, command.configuration_profile_id)
    if routing is not None and profile is not None and profile.serves(routing.account):
        yield from _named_by(profile, routing.account, known)
    yield from capacity_group_of(routing, command, known)


def named_by_profile(command: CreateProfile | ChangeProfile) -> Iterable[Ref]:
    """Return what a new or changed profile names, and the automatic profile of its account."""
    fields = command.fields if isinstance(command, CreateProfile) else command.changes
    yield from (Ref(model, fields[name]) for name, model, _ in NAMED if fields.get(name) is not None)
    if fields.get("automatic_for") is not None:
        yield Ref(AutomaticProfile, fields["automatic_for"], write=True)


def automatic_profile_of(profile: Profile | None, command: Any, _known: Known) -> Iterable[Ref]:
    """Return the present automatic profile of a profile's account, for those only who may change the profile."""
    if profile is not None and profile.is_changeable_by(command.caller) and profile.automatic_for is not None:
        yield Ref(AutomaticProfile, profile.automatic_for, write=True)


def use_of_profile(profile: Profile | None, command: DeleteProfile, known: Known) -> Iterable[Ref]:
    """Return in addition the count of live DIDs that use the profile."""
    yield from automatic_profile_of(profile, command, known)
    if profile is not None and profile.is_changeable_by(command.caller):
        yield Ref(ProfileUse, profile.profile_id)


def _named_by(profile: Profile, account: str, known: Known) -> Iterable[Ref]:
    """Return what a profile names. The trunks of its group are named only by the group, when that is loaded."""
    for name, model, _ in NAMED:
        key = getattr(profile, name)
        if key is not None:
            yield Ref(model, key, write=model is CapacityGroup)
    group = known.states.get((VoiceTrunkGroup, profile.voice_trunk_group_id))
    if group is not None and group.serves(account):
        yield from trunks(group)


def _left_capacity_group(routing: Routing | None, event: Event[DidChanged]) -> Iterable[Ref]:
    """Return the capacity group of a DID whose new holder it does not serve."""
    group = routing.capacity_group if routing is not None else None
    if group is not None and not is_within(event.data.account, group.account):
        yield Ref(CapacityGroup, group.group_id, write=True)


def states_of_end(routing: Routing | None, message: Any, known: Known) -> Iterable[Ref]:
    """Return the other DIDs and the open command of the number, and the capacity group of the DID that ends."""
    yield from other_dids(routing, message, known)
    yield from capacity_group_of(routing, message, known)
    loaded = known.get(NumberQueue, message.subject)
    if loaded is not None and loaded.open_command_id is not None:
        yield Ref(CarrierCommand, loaded.open_command_id, write=True)


def trunks(group: VoiceTrunkGroup | CreateVoiceTrunkGroup | ChangeVoiceTrunkGroup) -> Iterable[Ref]:
    """Return the voice trunks of a group, or of a command about one."""
    return [Ref(VoiceTrunk, each.voice_trunk_id) for each in group.trunks]


def use_of_trunk(trunk: VoiceTrunk | None, command: Any, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    """Return the counts of what uses the voice trunk, for those only who may change and delete it."""
    return _uses(VoiceTargetUse, trunk.trunk_id) if trunk and trunk.is_changeable_by(command.caller) else []


def use_of_group(group: VoiceTrunkGroup | None, command: Any, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    """Return the counts of what uses the voice trunk group, for those only who may change and delete it."""
    return _uses(VoiceTargetUse, group.group_id) if group and group.is_changeable_by(command.caller) else []


def use_of_sms_trunk(trunk: SmsTrunk | None, command: Any, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    """Return the counts of what uses the SMS trunk, for those only who may change and delete it."""
    return _uses(SmsTrunkUse, trunk.trunk_id) if trunk and trunk.is_changeable_by(command.caller) else []


def use_of_capacity_group(group: CapacityGroup | None, command: Any, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    """Return the count of the profiles that name the capacity group, for those only who may delete it."""
    return [Ref(NamingProfiles, group.group_id)] if group and group.is_changeable_by(command.caller) else []


def _uses(of_dids: type, target_id: UUID) -> Iterable[Ref]:
    return [Ref(of_dids, target_id), Ref(NamingProfiles, target_id)]


def other_sms_trunk(command: ReplaceTarget) -> Iterable[Ref]:
    """Return the SMS trunk that replaces another one."""
    yield Ref(SmsTrunk, command.by)


def other_voice_target(command: ReplaceTarget) -> Iterable[Ref]:
    """Return the voice target that replaces another one: a trunk or a group."""
    yield Ref(VoiceTrunk, command.by)
    yield Ref(VoiceTrunkGroup, command.by)


def queue_and_answered_command(event: Any) -> Iterable[Ref]:
    """Return in addition the carrier command that a result answers."""
    yield from queue(event)
    yield Ref(CarrierCommand, event.data.command_id, write=True)


def other_dids(_: Routing | None, message: Any, known: Known) -> Iterable[Ref]:
    """Return the other DIDs of the number. When one is released, the next one gets its first command."""
    loaded = known.get(NumberQueue, message.subject)
    return [Ref(Routing, did_id, write=True) for did_id in loaded.did_ids] if loaded else []


def queue_of_routing(routing: Routing, _: None, known: Known) -> Iterable[Ref]:  # noqa: ARG001
    """Return the queue of a routing whose timer is due."""
    return [Ref(NumberQueue, routing.number, write=True, subject=routing.number)]


def dids_and_commands_of_queue(due: NumberQueue, _: None, known: Known, *, timings: Timings) -> Iterable[Ref]:
    """Return the DIDs, the open carrier command and the next carrier command of a queue whose timer is due.

    Also the contact of the carrier of the open command, and the turns of the carriers that have turns. Turns and
    retried commands that only the DIDs name are found when the DIDs are loaded.
    """
    yield from (Ref(Routing, did_id, write=True) for did_id in due.did_ids)
    yield Ref(CarrierCommand, next_command_id_of_queue(due), write=True)
    if due.open_command_id is not None:
        yield Ref(CarrierCommand, due.open_command_id, write=True)
        yield Ref(CarrierContact, due.carrier)
    found = (known.states.get((Routing, did_id)) for did_id in due.did_ids)
    loaded = [routing for routing in found if routing is not None]
    for routing in loaded:
        yield from (Ref(CarrierCommand, retry_id, write=True) for retry_id in routing.retry_ids.values())
    for carrier in timings.with_turns(carriers_of(due, loaded)):
        yield Ref(CarrierTurns, carrier, write=True)
        if timings.of(carrier).concurrency is not None:
            yield Ref(CarrierLoad, carrier)
