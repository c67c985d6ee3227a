"""The key rotation of former identities and addresses."""

from typing import Final

from didflow_chassis.key_rotation import EncryptedKind
from didflow_verification import store
from didflow_verification.documents.former import PURPOSE, bound_to, sealed
from didflow_verification.domain.details.former import FormerDetails

FORMER_DETAILS: Final[EncryptedKind[FormerDetails]] = EncryptedKind(
    kind=store.FORMER_DETAILS, sealed=sealed, bound=bound_to, purpose=PURPOSE
)
ROTATION: Final = FORMER_DETAILS.rotation()
