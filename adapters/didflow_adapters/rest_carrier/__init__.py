"""A simulated carrier with an HTTP API of its own, for demos, tests and load.

In reading order: `behavior`, `numbers`, `request_window`, `deliveries`, `application`, `commandline`.
"""

from didflow_adapters.rest_carrier.application import RestCarrier
from didflow_adapters.rest_carrier.behavior import Behavior

__all__ = ["Behavior", "RestCarrier"]
