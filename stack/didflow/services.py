"""The four services, found by name; each is loaded only when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from didflow_contracts.topics import SERVICES

if TYPE_CHECKING:
    from didflow_chassis.service import Service

__all__ = ["SERVICES", "service"]


def service(name: str) -> "Service":
    """Return a service by its name. Raises KeyError for another name."""
    if name not in SERVICES:
        raise KeyError(name)
    found: Service = import_module(f"didflow_{name}.service").SERVICE
    return found
