"""The HTTP side of every service: a route gets an `Http`, and each change goes through the stage once.

A name is loaded when it is used first, so a worker serves its health without loading the framework of the routes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from didflow_chassis.http.application import create_application, openapi_json, routers_of
    from didflow_chassis.http.batch import BatchAnswer, ItemResult, NamedEntity, check_size
    from didflow_chassis.http.context import Http, HttpContext
    from didflow_chassis.http.health import health_application
    from didflow_chassis.http.input_errors import ErrorMessage, check_fields, invalid_input
    from didflow_chassis.http.job_responses import JobResponse
    from didflow_chassis.http.limits import Rate
    from didflow_chassis.http.lists import Page, PageBody
    from didflow_chassis.http.parameters import Number
    from didflow_chassis.http.personal import Personal
    from didflow_chassis.http.problems import FieldError, Problem
    from didflow_chassis.http.routes import Router, me_router
    from didflow_chassis.http.runtime import Runtime
    from didflow_chassis.http.streams import Streams
    from didflow_chassis.http.tokens import Authenticator, authenticator

__all__ = [
    "Authenticator",
    "BatchAnswer",
    "ErrorMessage",
    "FieldError",
    "Http",
    "HttpContext",
    "ItemResult",
    "JobResponse",
    "NamedEntity",
    "Number",
    "Page",
    "PageBody",
    "Personal",
    "Problem",
    "Rate",
    "Router",
    "Runtime",
    "Streams",
    "authenticator",
    "check_fields",
    "check_size",
    "create_application",
    "health_application",
    "invalid_input",
    "me_router",
    "openapi_json",
    "routers_of",
]

_MODULES: Final = {
    "application": ("create_application", "openapi_json", "routers_of"),
    "batch": ("BatchAnswer", "ItemResult", "NamedEntity", "check_size"),
    "context": ("Http", "HttpContext"),
    "health": ("health_application",),
    "input_errors": ("ErrorMessage", "check_fields", "invalid_input"),
    "job_responses": ("JobResponse",),
    "limits": ("Rate",),
    "lists": ("Page", "PageBody"),
    "parameters": ("Number",),
    "personal": ("Personal",),
    "problems": ("FieldError", "Problem"),
    "routes": ("Router", "me_router"),
    "runtime": ("Runtime",),
    "streams": ("Streams",),
    "tokens": ("Authenticator", "authenticator"),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name from its module."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
