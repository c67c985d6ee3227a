"""The HTTP side of every service: routes get an `Http`, and each change goes through the stage once."""

from didflow_chassis.http.application import create_application, openapi_json
from didflow_chassis.http.authentication import Authenticator, authenticator
from didflow_chassis.http.batch import BatchAnswer, Target
from didflow_chassis.http.context import Http, HttpContext
from didflow_chassis.http.health import health_application
from didflow_chassis.http.lists import Page
from didflow_chassis.http.names import parse_name
from didflow_chassis.http.problems import FieldError, Problem
from didflow_chassis.http.ratelimit import Rate
from didflow_chassis.http.running import Running
from didflow_chassis.http.tenancy import within

__all__ = [
    "Authenticator",
    "BatchAnswer",
    "FieldError",
    "Http",
    "HttpContext",
    "Page",
    "Problem",
    "Rate",
    "Running",
    "Target",
    "authenticator",
    "create_application",
    "health_application",
    "openapi_json",
    "parse_name",
    "within",
]
