"""The secrets of SMS trunks at rest: what a ciphertext is bound to, and its key rotation."""

from typing import Final

from didflow_chassis.encryption import Sealed
from didflow_chassis.key_rotation import EncryptedKind
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.store.tables import SMS_TRUNK


def _sealed(trunk: SmsTrunk) -> Sealed | None:
    if trunk.key_id is None or trunk.secret is None:
        return None
    return Sealed(key_id=trunk.key_id, content=trunk.secret)


SECRETS: Final[EncryptedKind[SmsTrunk]] = EncryptedKind(
    kind=SMS_TRUNK,
    sealed=_sealed,
    bound=lambda trunk: trunk.trunk_id.bytes,
    purpose=b"didflow secret of an SMS trunk 1",
)
