"""The secrets of SMS trunks: encrypted before a command has them, and decrypted for an adapter only.

Each ciphertext is bound to its trunk.
"""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.encryption import KeyMissing, NotDecryptable, seal, unseal
from didflow_chassis.http import HttpContext, Problem
from didflow_provisioning.domain.targets.commands import EncryptedSecret
from didflow_provisioning.domain.targets.sms_trunks import SmsTrunk
from didflow_provisioning.store.secrets import SECRETS
from didflow_provisioning.store.tables import credential_reads

_NO_KEY: Final = "The key of this secret is not configured. Ask the operator to add it."


def encrypted(http: HttpContext, trunk_id: UUID, secret: bytes | None) -> EncryptedSecret | None:
    """Return a secret as it is stored. Raises Problem `unavailable` if no key is configured."""
    if secret is None:
        return None
    try:
        sealed = seal(_keyring(http), secret, purpose=SECRETS.purpose, bound=trunk_id.bytes)
    except KeyMissing as error:
        raise Problem("unavailable", _NO_KEY) from error
    return EncryptedSecret(key_id=sealed.key_id, content=sealed.content)


def decrypted(http: HttpContext, trunk: SmsTrunk) -> str | None:
    """Return the secret of a trunk. Raises Problem `unavailable` if its key is not configured."""
    sealed = SECRETS.sealed(trunk)
    if sealed is None:
        return None
    try:
        return unseal(_keyring(http), sealed, purpose=SECRETS.purpose, bound=SECRETS.bound(trunk)).decode()
    except (KeyMissing, NotDecryptable) as error:
        raise Problem("unavailable", _NO_KEY) from error


async def record_read(http: HttpContext, trunk_id: UUID) -> None:
    """Record that the secret of a trunk is about to be shown to the caller. Raises Outage."""
    caller = http.caller
    values = {"subject": caller.subject, "account": caller.account, "role": caller.role, "trunk_id": trunk_id}
    insert: Any = sa.insert(credential_reads).values(**values)
    await http.runtime.database.fetch(insert)


def _keyring(http: HttpContext) -> Any:
    return http.runtime.service.settings.keyring()
