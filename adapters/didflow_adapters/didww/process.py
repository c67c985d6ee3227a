"""`didflow-didww`: the adapter as a process."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from didflow_adapters.didww.carrier import DidwwCarrier
from didflow_adapters.kit import AdapterSettings, run
from didflow_adapters.kit.process import from_environment

SANDBOX = "https://sandbox-api.didww.com/v3"


class DidwwSettings(BaseSettings):
    """The account at DIDWW: environment variables `DIDFLOW_DIDWW_*`."""

    model_config = SettingsConfigDict(
        env_prefix="DIDFLOW_DIDWW_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    api_key: SecretStr = Field(
        description="The API key. Its allowed addresses include those of this process."
    )
    url: str = Field(default=SANDBOX, description="The API. Production: https://api.didww.com/v3.")
    carrier: str = Field(default="didww", description="The name of the carrier in didflow.")


def main() -> None:
    """Execute the carrier commands of DIDWW until the process is told to stop."""
    settings, didww = from_environment(AdapterSettings), from_environment(DidwwSettings)
    key = didww.api_key.get_secret_value()
    run([DidwwCarrier(key, didww.url, name=didww.carrier, concurrency=settings.concurrency)], settings)
