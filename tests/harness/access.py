"""A guarded broker: it authenticates its clients and applies the access rules of the contracts.

The broker denies everything that no rule allows, for every user but `admin`.
"""

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import admin

from didflow_contracts.access import Quota, Rule
from harness.kafka_jars import kafka_jars
from harness.processes import until

ADMIN: Final = "admin"
_WAIT_S: Final = 20.0
_KAFKA: Any = admin
"""The names of the client library. It does not mark them as exported."""
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


def bindings(rules: Iterable[Rule]) -> list[Any]:
    """Return rules of the contracts as those of the client library."""
    return [
        _KAFKA.AclBinding(
            _KAFKA.ResourceType[rule.resource],
            rule.name,
            _KAFKA.ResourcePatternType[rule.pattern],
            f"User:{rule.principal}",
            "*",
            _KAFKA.AclOperation[rule.operation],
            _KAFKA.AclPermissionType.ALLOW,
        )
        for rule in rules
    ]


async def allow(bootstrap: str, guard: Guard, rules: Iterable[Rule]) -> None:
    """Create these rules on a broker and wait until it applies them. Raises KafkaException, DeadlineMissedError."""
    client: Any = _KAFKA.AdminClient({"bootstrap.servers": bootstrap, **guard.librdkafka()})
    wanted = set(bindings(rules))
    for answer in client.create_acls(list(wanted), request_timeout=_WAIT_S).values():
        await asyncio.wrap_future(answer)

    async def holds() -> bool:
        return wanted <= set(await asyncio.wrap_future(client.describe_acls(_ANY)))

    await until(holds, within=_WAIT_S, what="rules of access")


async def set_quotas(bootstrap: str, guard: Guard, quotas: Iterable[Quota]) -> None:
    """Set these quotas on a broker with Kafka's own tool: the client library has no call for it."""
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as config:
        options = guard.client()
        config.write(
            f"security.protocol={options['security_protocol']}\n"
            f"sasl.mechanism={options['sasl_mechanism']}\n"
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{ADMIN}" password="{guard.users[ADMIN]}";\n'
        )
        config.flush()
        jars = await asyncio.to_thread(kafka_jars)
        tool = ["java", "-cp", f"{jars}/*", "kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap]
        for quota in quotas:
            child = await asyncio.create_subprocess_exec(
                *(*tool, "--command-config", config.name, "--alter", "--entity-type", "users"),
                *("--entity-name", quota.principal),
                *("--add-config", f"producer_byte_rate={quota.producer_byte_rate}"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await asyncio.wait_for(child.communicate(), _WAIT_S * 3)
            assert child.returncode == 0, output.decode()
