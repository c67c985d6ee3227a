"""The settings of provisioning: the timing of each carrier, and the keys of secrets."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, Strict, model_validator

from didflow_chassis.encryption import Keyring, read_keys
from didflow_chassis.settings import PREFIX, Settings
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import CarrierAction, Name
from didflow_provisioning.domain.timing import DEFAULT_TIMING, Timing, Timings

Seconds = Annotated[float, Field(gt=0, le=90 * 24 * 3600)]
Rate = Annotated[float, Field(ge=0.001, le=10_000)]
Concurrency = Annotated[int, Strict(), Field(ge=1, le=10_000)]


class CarrierTiming(BaseModel):
    """The timing of the commands to one carrier. A field that is not given has its default. Times are in seconds.

    Without `rate_per_s` and `concurrency` there is no such limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: Seconds = DEFAULT_TIMING.answer_within.total_seconds()
    first_pause_s: Seconds = DEFAULT_TIMING.first_pause.total_seconds()
    longest_pause_s: Seconds = DEFAULT_TIMING.longest_pause.total_seconds()
    give_up_s: Mapping[CarrierAction, Seconds] = Field(default_factory=dict)
    rate_per_s: Rate | None = None
    concurrency: Concurrency | None = None

    @model_validator(mode="after")
    def _pauses_are_in_order(self) -> Self:
        if self.first_pause_s > self.longest_pause_s:
            raise wrong_field("first_pause_s", "Set first_pause_s to at most longest_pause_s.")
        return self

    def timing(self) -> Timing:
        """Return the timing as the decisions use it."""
        give_up = {action: timedelta(seconds=seconds) for action, seconds in self.give_up_s.items()}
        return Timing(
            answer_within=timedelta(seconds=self.deadline_s),
            first_pause=timedelta(seconds=self.first_pause_s),
            longest_pause=timedelta(seconds=self.longest_pause_s),
            give_up_after={**DEFAULT_TIMING.give_up_after, **give_up},
            rate_per_s=self.rate_per_s,
            concurrency=self.concurrency,
        )


class ProvisioningSettings(Settings):
    """The settings of every service, and those of provisioning."""

    carriers: Mapping[Name, CarrierTiming] = Field(
        default_factory=dict,
        description="Timing of single carriers as JSON: the carrier's name, then `deadline_s` of an answer, "
        "`first_pause_s` and `longest_pause_s` between attempts, `give_up_s` for each action, `rate_per_s` of "
        "attempts, and `concurrency`: the most commands that are out at a time.",
        examples=[{}],
    )

    secret_keys: SecretStr | None = Field(
        default=None,
        description="AES-256 keys of the secrets of SMS trunks, each written `id:base64`. The first encrypts. Without "
        "keys, a trunk with a secret can be neither created nor used by an adapter.",
    )

    trunk_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="Networks, besides the public internet, in which SIP and SMPP hosts of trunks may lie, as JSON. "
        "Name only networks that carriers reach and in which every account may name hosts.",
        examples=[[]],
    )

    @model_validator(mode="after")
    def _keys_are_valid(self) -> Self:
        if self.secret_keys is not None:
            try:
                read_keys(self.secret_keys.get_secret_value())
            except ValueError as error:
                raise ValueError(f"{PREFIX}SECRET_KEYS {error}") from None
        return self

    def keyring(self) -> Keyring | None:
        """Return the keys of secrets, or None if none are configured."""
        return read_keys(self.secret_keys.get_secret_value()) if self.secret_keys else None

    def warnings(self) -> Iterable[str]:
        """Return one sentence for each setting that is allowed but dangerous in production."""
        yield from super().warnings()
        if self.secret_keys is None:
            yield f"{PREFIX}SECRET_KEYS is not set: SMS trunks with a secret can be neither created nor used."

    def timings(self) -> Timings:
        """Return the timing of all carriers as the decisions use it."""
        return Timings(carriers={name: carrier.timing() for name, carrier in self.carriers.items()})
