"""What a carrier adapter is made of: write one class with a method for each action, and run it.

The kit reads the orders, keeps them in order for each number, answers, and commits only what was answered.
"""

from didflow_adapters.kit.adapter import Adapter
from didflow_adapters.kit.carrier import Carrier, Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.running import run
from didflow_adapters.kit.settings import AdapterSettings

__all__ = ["Adapter", "AdapterSettings", "Carrier", "Failed", "Later", "Outcome", "Succeeded", "run"]
