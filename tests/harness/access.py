"""The access rules of a guarded broker, derived from the contracts' table of topics.

The broker denies everything that no rule allows, for every user but `admin`.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import admin

from didflow_contracts.topics import DEAD_LETTER_TOPICS, topics_read_by, topics_written_by
from harness.processes import until

ADMIN: Final = "admin"
_WAIT_S: Final = 20.0
_KAFKA: Any = admin
"""The names of the client library. It does not mark them as exported."""
_TOPIC, _GROUP = _KAFKA.ResourceType.TOPIC, _KAFKA.ResourceType.GROUP
_READ, _WRITE = _KAFKA.AclOperation.READ, _KAFKA.AclOperation.WRITE
_ANY = _KAFKA.AclBindingFilter(
    _KAFKA.ResourceType.ANY,
    None,
    _KAFKA.ResourcePatternType.ANY,
    None,
    None,
    _KAFKA.AclOperation.ANY,
    _KAFKA.AclPermissionType.ANY,
)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The users of a broker that authenticates, name -> password. `admin` may do everything."""

    users: dict[str, str]

    def client(self, user: str = ADMIN) -> dict[str, Any]:
        """Return the options of an aiokafka client that logs in as this user."""
        return {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": user,
            "sasl_plain_password": self.users[user],
        }

    def settings(self, user: str = ADMIN) -> dict[str, Any]:
        """Return the same as settings of a service, without their prefix."""
        names = {"sasl_plain_username": "username", "sasl_plain_password": "password"}
        return {f"KAFKA_{names.get(n, n)}".upper(): value for n, value in self.client(user).items()}

    def librdkafka(self, user: str = ADMIN) -> dict[str, Any]:
        """Return the same as a configuration of librdkafka."""
        names = {"sasl_plain_username": "sasl.username", "sasl_plain_password": "sasl.password"}
        return {names.get(n, n.replace("_", ".")): value for n, value in self.client(user).items()}

    @property
    def properties(self) -> str:
        """Return the lines of the broker's configuration: every client logs in, and the default is to deny."""
        users = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
        own = f'username="{ADMIN}" password="{self.users[ADMIN]}"'
        return (
            "listeners=SASL_PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n"
            "advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{broker}\n"
            "listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            "security.inter.broker.protocol=SASL_PLAINTEXT\n"
            "sasl.enabled.mechanisms=PLAIN\n"
            "sasl.mechanism.inter.broker.protocol=PLAIN\n"
            "listener.name.sasl_plaintext.plain.sasl.jaas.config="
            f"org.apache.kafka.common.security.plain.PlainLoginModule required {own} {users};\n"
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
            f"super.users=User:{ADMIN};User:ANONYMOUS\n"
        )


def rules_of(service: str, prefix: str) -> Iterator[Any]:
    """Yield the rules of a service: read and write its topics, write its dead letters, join its group."""
    for name in (*(topic.name for topic in topics_written_by(service)), DEAD_LETTER_TOPICS[service]):
        yield _rule(_TOPIC, prefix + name, service, _WRITE)
    for topic in topics_read_by(service):
        yield _rule(_TOPIC, prefix + topic.name, service, _READ)
    yield _rule(_GROUP, prefix + service, service, _READ)


def _rule(kind: Any, name: str, user: str, operation: Any) -> Any:
    allowed = (operation, _KAFKA.AclPermissionType.ALLOW)
    return _KAFKA.AclBinding(kind, name, _KAFKA.ResourcePatternType.LITERAL, f"User:{user}", "*", *allowed)


async def allow(bootstrap: str, guard: Guard, rules: Iterable[Any]) -> None:
    """Create these rules on a broker and wait until it applies them. Raises KafkaException, DeadlineMissedError."""
    client: Any = _KAFKA.AdminClient({"bootstrap.servers": bootstrap, **guard.librdkafka()})
    wanted = set(rules)
    for answer in client.create_acls(list(wanted), request_timeout=_WAIT_S).values():
        await asyncio.wrap_future(answer)

    async def holds() -> bool:
        return wanted <= set(await asyncio.wrap_future(client.describe_acls(_ANY)))

    await until(holds, within=_WAIT_S, what="rules of access")
