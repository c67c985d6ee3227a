"""Each role on each route of the four services, generated from the OpenAPI documents and the table of roles."""

import pytest
from tenancy.callers import ONE_LOOP
from tenancy.estate import Estate
from tenancy.gate import attempts, not_admitted, not_refused
from tenancy.requests import operations

from didflow_contracts.roles import ROLES
from didflow_contracts.topics import SERVICES


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_a_role_that_may_not_is_refused_before_anything_is_looked_up(estate: Estate, name: str) -> None:
    """403 `role_not_allowed` after no statement, and the same to the byte.

    About things that exist and things that do not, with wrong ids, parameters, fields, bodies and keys.
    """
    found = []
    for operation in operations(name):
        for role in ROLES:
            if role in operation.roles:
                found += await not_admitted(estate, operation, role)
            else:
                found += await not_refused(estate, operation, role, list(attempts(estate, operation)))
    assert not found, "\n".join(found)
