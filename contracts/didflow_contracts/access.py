"""Who may do what on the Kafka cluster, as data: the access rules and the client quotas of every principal.

They follow from the table of topics and from the registered sources. The broker denies everything else.
Source: spec events, Topics and Sources.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from didflow_contracts.sources import PRODUCER_OF, RegisteredSource
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, topics_read_by, topics_written_by

Operation: TypeAlias = Literal["READ", "WRITE"]
Resource: TypeAlias = Literal["TOPIC", "GROUP"]
Pattern: TypeAlias = Literal["LITERAL", "PREFIXED"]

OUTSIDER_BYTES_PER_S: Final = 500_000
"""What each principal of an outsider may write in a second, per broker: about 500 purchases."""


@dataclass(frozen=True, kw_only=True, order=True)
class Rule:
    """One access rule: the principal may do the operation on the resource. `name` includes the topic prefix."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    pattern: Pattern = "LITERAL"


@dataclass(frozen=True, kw_only=True, order=True)
class Quota:
    """A client quota of Kafka: above it, the broker delays the answers to this principal and to nobody else."""

    principal: str
    producer_byte_rate: int


def rules_of_service(service: str, *, prefix: str = "", principal: str | None = None) -> Iterator[Rule]:
    """Yield the rules of a service: write and read its topics, write its dead letters, join its group.

    `prefix` is that of the installation's topics. The principal is the name of the service unless another is given.
    """
    user = principal or service
    for name in (*(topic.name for topic in topics_written_by(service)), DEAD_LETTER_TOPICS[service]):
        yield Rule(principal=user, operation="WRITE", resource="TOPIC", name=f"{prefix}{name}")
    for topic in topics_read_by(service):
        yield Rule(principal=user, operation="READ", resource="TOPIC", name=f"{prefix}{topic.name}")
    yield Rule(principal=user, operation="READ", resource="GROUP", name=f"{prefix}{service}")


def rules_of_source(source: RegisteredSource, *, prefix: str = "") -> Iterator[Rule]:
    """Yield the rules of a registered source: write and read the topics of its kind, join groups of its own name.

    A source without a principal has no rules. The group names begin with the principal.
    """
    if source.principal is None:
        return
    kind, user = PRODUCER_OF[source.kind], source.principal
    for topic in topics_written_by(kind):
        yield Rule(principal=user, operation="WRITE", resource="TOPIC", name=f"{prefix}{topic.name}")
    read = topics_read_by(kind)
    for topic in read:
        yield Rule(principal=user, operation="READ", resource="TOPIC", name=f"{prefix}{topic.name}")
    if read:
        group = f"{prefix}{user}"
        yield Rule(principal=user, operation="READ", resource="GROUP", name=group, pattern="PREFIXED")


def all_rules(sources: Iterable[RegisteredSource], *, prefix: str = "") -> Sequence[Rule]:
    """Return the rules of the four services and of the registered sources, sorted and each once."""
    rules = {rule for service in SERVICES for rule in rules_of_service(service, prefix=prefix)}
    rules |= {rule for source in sources for rule in rules_of_source(source, prefix=prefix)}
    return sorted(rules)


def quotas_of(
    sources: Iterable[RegisteredSource], *, bytes_per_s: int = OUTSIDER_BYTES_PER_S
) -> Sequence[Quota]:
    """Return the quotas: one for each principal of a registered source. The four services have none."""
    principals = {source.principal for source in sources if source.principal is not None}
    return [Quota(principal=name, producer_byte_rate=bytes_per_s) for name in sorted(principals)]
