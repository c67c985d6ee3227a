"""Provisioning's settings with keys of secrets."""

from pydantic import SecretStr

from didflow_provisioning.settings import ProvisioningSettings


def settings_with_keys(keys: str | None) -> ProvisioningSettings:
    """Return settings with these keys of secrets. None: without a key."""
    update = {"secret_keys": SecretStr(keys) if keys else None}
    return ProvisioningSettings.placeholder().model_copy(update=update)
