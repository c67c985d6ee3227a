"""The access rules and quotas of the cluster, from the table of topics and the registered sources."""

import pytest

from didflow_contracts.access import Quota, Rule, all_rules, quotas_of, rules_of_service, rules_of_source
from didflow_contracts.sources import RegisteredSource
from didflow_contracts.topics import SERVICES, TOPICS

ORDERS = RegisteredSource(
    prefix="/orders/acme", kind="order_system", accounts=("master/acme",), principal="orders-acme"
)
PORTAL = RegisteredSource(
    prefix="/portals/acme", kind="portal", accounts=("master/acme",), principal="portal"
)
ADAPTER = RegisteredSource(prefix="/carriers/blue", kind="adapter", carriers=("blue",), principal="blue")
SOURCES = (ORDERS, PORTAL, ADAPTER)


def written_by(principal: str) -> set[str]:
    rules = all_rules(SOURCES)
    return {rule.name for rule in rules if (rule.principal, rule.operation) == (principal, "WRITE")}


def test_outsiders_write_their_own_topics_and_no_service_does() -> None:
    """So no outsider can pose as inventory, and no service as an outsider."""
    assert written_by("orders-acme") == {"did.purchased", "did.porting_started", "did.porting_ended"}
    assert written_by("portal") == {"enduser.assigned"}
    assert written_by("blue") == {"provisioning.results"}
    outside = {topic.name for topic in TOPICS.values() if topic.is_written_by_outsiders}
    for service in SERVICES:
        assert not written_by(service) & outside
    assert {name for name in written_by("inventory") if name.startswith("inventory.")} == {
        *(f"inventory.{name}" for name in outside - {"provisioning.results"}),
        "inventory.dlq",
    }


def test_an_outsider_reads_the_topics_of_its_kind_in_groups_of_its_own_name() -> None:
    """A portal reads nothing, so it joins no group."""
    adapter = set(rules_of_source(ADAPTER, prefix="eu-"))
    assert adapter == {
        Rule(principal="blue", operation="WRITE", resource="TOPIC", name="eu-provisioning.results"),
        Rule(principal="blue", operation="READ", resource="TOPIC", name="eu-provisioning.commands"),
        Rule(principal="blue", operation="READ", resource="TOPIC", name="eu-provisioning.results"),
        Rule(principal="blue", operation="READ", resource="GROUP", name="eu-blue", pattern="PREFIXED"),
    }
    assert {rule.resource for rule in rules_of_source(PORTAL)} == {"TOPIC"}


def test_a_source_without_a_principal_has_no_rule() -> None:
    """Somebody else manages its access."""
    unmanaged = ORDERS.model_copy(update={"principal": None})
    assert list(rules_of_source(unmanaged)) == []
    assert quotas_of([unmanaged]) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_no_dead_letters(service: str) -> None:
    """It writes copies of its own, for others."""
    rules = list(rules_of_service(service))
    assert [rule for rule in rules if rule.operation == "READ" and rule.name.endswith(".dlq")] == []
    assert {rule.name for rule in rules if rule.resource == "GROUP"} == {service}


def test_each_outside_principal_has_one_quota_and_services_have_none() -> None:
    """Two sources of one principal share it."""
    twin = ORDERS.model_copy(update={"prefix": "/orders/acme-eu"})
    assert quotas_of([*SOURCES, twin], bytes_per_s=1_000) == [
        Quota(principal=name, producer_byte_rate=1_000) for name in ("blue", "orders-acme", "portal")
    ]
