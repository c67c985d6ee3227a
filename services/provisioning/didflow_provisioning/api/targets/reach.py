"""Whether the SIP and SMPP hosts of a body may be used in this installation.

A private network that carriers reach, such as one behind a VPN, is named in the settings. All other hosts that are
internal are refused: otherwise a carrier would connect an account to internal systems.
"""

from collections.abc import Mapping
from typing import Any

from didflow_chassis.http import FieldError, HttpContext, Problem
from didflow_chassis.http.problems import SEE_ERRORS
from didflow_webhooks import Rules, host_problem


def check_hosts(http: HttpContext, hosts: Mapping[str, str]) -> None:
    """Raise Problem `input_invalid` with `internal_address` for each host that is internal. Keys are fields."""
    settings: Any = http.runtime.service.settings
    rules = Rules(allowed=settings.trunk_networks)
    found = {field: host_problem(host, rules) for field, host in hosts.items()}
    errors = [
        FieldError(field=field, code=problem.code, message=problem.message)
        for field, problem in found.items()
        if problem is not None
    ]
    if errors:
        raise Problem("input_invalid", SEE_ERRORS, errors=errors)
