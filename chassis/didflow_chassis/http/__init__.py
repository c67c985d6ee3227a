"""The HTTP side of every service: routes get an `Http`, and each change goes through the stage once.

Each name is loaded when it is first asked for: a worker serves its health without the framework of the routes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from didflow_chassis.http.application import create_application, openapi_json
    from didflow_chassis.http.authentication import Authenticator, authenticator
    from didflow_chassis.http.batch import BatchAnswer, Target
    from didflow_chassis.http.context import Http, HttpContext
    from didflow_chassis.http.health import health_application
    from didflow_chassis.http.lists import Page
    from didflow_chassis.http.names import parse_name
    from didflow_chassis.http.problems import FieldError, Problem
    from didflow_chassis.http.ratelimit import Rate
    from didflow_chassis.http.routes import Router
    from didflow_chassis.http.running import Running

__all__ = [
    "Authenticator",
    "BatchAnswer",
    "FieldError",
    "Http",
    "HttpContext",
    "Page",
    "Problem",
    "Rate",
    "Router",
    "Running",
    "Target",
    "authenticator",
    "create_application",
    "health_application",
    "openapi_json",
    "parse_name",
]

_MODULES: Final = {
    "application": ("create_application", "openapi_json"),
    "authentication": ("Authenticator", "authenticator"),
    "batch": ("BatchAnswer", "Target"),
    "context": ("Http", "HttpContext"),
    "health": ("health_application",),
    "lists": ("Page",),
    "names": ("parse_name",),
    "problems": ("FieldError", "Problem"),
    "ratelimit": ("Rate",),
    "routes": ("Router",),
    "running": ("Running",),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name from its module."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
