"""The registered sources over HTTP."""

import pytest
import toy
from harness.fixtures import OnPostgres

from didflow_contracts.sources import RegisteredSource, Sources

BLUE = RegisteredSource(prefix="/carriers/blue", kind="adapter", carriers=("blue",), principal="blue")
ACME = RegisteredSource(prefix="/orders/acme", kind="order_system", accounts=("master/acme",))


@pytest.mark.parametrize(("role", "status"), [("operator", 200), ("master_reseller", 403)])
async def test_an_operator_sees_the_registered_sources_in_force(
    on_postgres: OnPostgres, role: str, status: int
) -> None:
    """They are ordered by prefix, a page at a time, with everything that each may say."""
    counting = await on_postgres(toy.SERVICE, prepare=toy.prepare)
    counting.sources = Sources([ACME, BLUE], unregistered="closed")
    client = counting.client(role=role)
    answer = await client.get("/v1/counting/sources", params={"limit": 1})
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["items"] == [
            {
                "prefix": "/carriers/blue",
                "kind": "adapter",
                "accounts": [],
                "carriers": ["blue"],
                "may_set_prices": False,
                "backdate_days": 400,
                "principal": "blue",
            }
        ]
        rest = await client.get("/v1/counting/sources", params={"limit": 1, "cursor": answer.json()["next"]})
        assert [item["prefix"] for item in rest.json()["items"]] == ["/orders/acme"]
