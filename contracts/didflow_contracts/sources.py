"""The registered sources: who may say what from outside, as data. All services read the same file.

A source that is not registered may say everything (`open`) or nothing (`closed`).
Source: spec events, Sources and Bounds.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError, model_validator

from didflow_contracts.accounts import AccountPath, is_within
from didflow_contracts.cloudevents import BadEvent, is_our_source
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidPurchased
from didflow_contracts.topics import CARRIER_ADAPTERS, ORDER_SYSTEMS, PORTALS, SOURCES, TOPICS
from didflow_contracts.validation_errors import message_of
from didflow_contracts.vocabulary import Acquired, Name

DEFAULT_BACKDATE_DAYS: Final = 400
MAX_BACKDATE_DAYS: Final = 36_500
MAX_AHEAD: Final = timedelta(days=1)

SourceKind: TypeAlias = Literal["order_system", "portal", "adapter"]
Unregistered: TypeAlias = Literal["open", "closed"]

PRODUCER_OF: Final[dict[SourceKind, str]] = {
    "order_system": ORDER_SYSTEMS,
    "portal": PORTALS,
    "adapter": CARRIER_ADAPTERS,
}
"""Kind of a source -> the producer of the table of topics."""


HANDED_DOWN: Final[frozenset[Acquired]] = frozenset(("assigned", "package"))
"""The ways of getting a number out of stock without a price. They are decisions of inventory."""


class RegisteredSource(BaseModel):
    """One registered source. It covers the CloudEvents sources that are its prefix or below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: Annotated[str, Field(min_length=2, max_length=255, pattern=r"^/[^\s]*[^\s/]$")] = Field(
        description="The CloudEvents source, such as `/orders/acme`. Sources below it are covered too."
    )
    kind: SourceKind = Field(description="What it is. It decides the topics that it may publish on.")
    accounts: tuple[AccountPath, ...] = Field(
        default=(), description="The account subtrees that it may name. Order systems and portals need one."
    )
    carriers: tuple[Name, ...] = Field(
        default=(), description="The carriers whose commands it may answer. Adapters need one."
    )
    may_set_prices: Annotated[bool, Strict()] = Field(
        default=False, description="Whether its purchases may name a price."
    )
    backdate_days: Annotated[int, Strict(), Field(ge=0, le=MAX_BACKDATE_DAYS)] = Field(
        default=DEFAULT_BACKDATE_DAYS,
        description="How many days `time` and `purchased_at` may lie in the past.",
    )
    principal: Name | None = Field(
        default=None, description="Its Kafka user. The access rules of the cluster are generated from it."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        root = SOURCES[PRODUCER_OF[self.kind]]
        if not self.prefix.startswith(root):
            raise ValueError(f"The prefix of kind {self.kind} must begin with {root}.")
        needed, other = ("carriers", "accounts") if self.kind == "adapter" else ("accounts", "carriers")
        if not getattr(self, needed) or getattr(self, other):
            raise ValueError(f"The kind {self.kind} needs {needed}, and has no {other}.")
        if self.may_set_prices and self.kind != "order_system":
            raise ValueError("Only an order system may set prices.")
        return self

    def covers(self, source: str) -> bool:
        """Return True if the CloudEvents source is this one or below it."""
        return source == self.prefix or source.startswith(f"{self.prefix}/")

    def may_name(self, account: str) -> bool:
        """Return True if the account is in one of its subtrees."""
        return any(is_within(account, subtree) for subtree in self.accounts)


class Sources:
    """The registered sources, and what follows for a source that is not registered."""

    def __init__(self, registered: Iterable[RegisteredSource] = (), *, unregistered: Unregistered) -> None:
        self.registered: Sequence[RegisteredSource] = tuple(registered)
        self.unregistered: Unregistered = unregistered
        self._of = lru_cache(maxsize=1_024)(self._longest)

    def of(self, source: str) -> RegisteredSource | None:
        """Return the registered source that covers a CloudEvents source; the longest prefix if several do."""
        return self._of(source)

    def judge(self, source: str, data: EventData) -> RegisteredSource | None:
        """Return the registered source of an event from outside; None for one that needs no registration.

        Raises BadEvent if the source may not publish this event: `unexpected_source` or `price_not_allowed`.
        """
        if is_our_source(source):
            return None
        found = self.of(source)
        if found is None:
            if self.unregistered == "closed":
                raise BadEvent("unexpected_source", f"Source {source[:200]} is not registered.")
            return None
        if PRODUCER_OF[found.kind] not in _outside_producers_of(type(data)):
            raise BadEvent(
                "unexpected_source", f"A source of kind {found.kind} may not publish {data.type()}."
            )
        if found.accounts and not found.may_name(data.account):
            raise BadEvent(
                "unexpected_source", f"Source {source[:200]} may not name the account {data.account}."
            )
        if isinstance(data, DidPurchased) and data.acquired in HANDED_DOWN:
            raise BadEvent("unexpected_source", f"Only inventory publishes numbers that are {data.acquired}.")
        if not found.may_set_prices and getattr(data, "price", None) is not None:
            raise BadEvent("price_not_allowed", f"Source {source[:200]} may not set prices.")
        return found

    def _longest(self, source: str) -> RegisteredSource | None:
        covering = (each for each in self.registered if each.covers(source))
        return max(covering, key=lambda each: len(each.prefix), default=None)


OPEN: Final = Sources(unregistered="open")
"""No source is registered, and every source may say everything that its topics allow."""

_FILE = TypeAdapter(tuple[RegisteredSource, ...])


def read_sources(text: bytes) -> tuple[RegisteredSource, ...]:
    """Return the sources of a file: a JSON array.

    Raises ValueError in one line, without any value, if the file is not valid or registers a prefix twice.
    """
    try:
        sources = _FILE.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ValueError(f"{place}: {message_of(first)}") from None
    prefixes = [source.prefix for source in sources]
    if repeated := sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1}):
        raise ValueError(f"The prefix {repeated[0]} is registered twice.")
    return sources


@lru_cache
def _outside_producers_of(event: type[EventData]) -> frozenset[str]:
    topics = (topic for topic in TOPICS.values() if topic.event is event and topic.is_written_by_outsiders)
    return frozenset(producer for topic in topics for producer in topic.producers)
