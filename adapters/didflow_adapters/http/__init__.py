"""The generic HTTP adapter: a carrier with a plain REST API is a file of configuration.

In reading order: `configuration`, `credentials`, `templates`, `replies`, `exchange`, `tokens`, `attempts`, `carrier`,
`receiver`, `process`, `commandline`.
"""

from didflow_adapters.http.carrier import HttpCarrier
from didflow_adapters.http.configuration import Configuration, ConfigurationError, load

__all__ = ["Configuration", "ConfigurationError", "HttpCarrier", "load"]
