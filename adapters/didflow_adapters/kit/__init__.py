"""The kit for carrier adapters: write one class with a method for each action, and run it.

The kit receives carrier commands, calls the carrier, publishes results, and commits only what has a result.
In reading order: `carrier`, `adapter`, `kafka`, `topics`, `reference`, `execution`, `retry_after`,
`outcomes`, `former_results`, `call_limits`, `progress`, `settings`, `process`, `servers`, `health`, `metrics`, `logs`.
"""

from didflow_adapters.kit.adapter import Adapter
from didflow_adapters.kit.call_limits import before_request
from didflow_adapters.kit.carrier import Carrier, Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.process import run
from didflow_adapters.kit.reference import PRESENT, CommandReference
from didflow_adapters.kit.settings import AdapterSettings

__all__ = [
    "PRESENT",
    "Adapter",
    "AdapterSettings",
    "Carrier",
    "CommandReference",
    "Failed",
    "Later",
    "Outcome",
    "Succeeded",
    "before_request",
    "run",
]
