"""The four services by name. Each is imported only when it is used."""

from importlib import import_module
from typing import TYPE_CHECKING

from didflow_contracts.topics import SERVICES

if TYPE_CHECKING:
    from didflow_chassis.service import Service
    from didflow_chassis.settings import Settings

__all__ = ["SERVICES", "service", "settings_class"]


def service(name: str, settings: "Settings | None" = None) -> "Service":
    """Build a service by its name. Without settings it can describe itself, but it cannot run.

    Raises KeyError for another name.
    """
    given = settings or settings_class(name).placeholder()
    built: Service = import_module(f"didflow_{name}.service").service(given)
    return built


def settings_class(name: str) -> "type[Settings]":
    """Return the class of a service's settings. Raises KeyError for another name."""
    if name not in SERVICES:
        raise KeyError(name)
    found: type[Settings] = getattr(import_module(f"didflow_{name}.settings"), f"{name.capitalize()}Settings")
    return found
