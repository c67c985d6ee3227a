"""The router of every service: each route has an action, and the caller's role is checked before anything else.

A route about things of several kinds, such as jobs, has one action for each kind. A role that may do none of them is
refused. What the caller sees behind the route is then decided by the kind.

The order of the checks of a request is: role, names of query parameters, names of body fields, stored answer, values.
Source: spec http; spec roles.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

import orjson
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.decision import Caller
from didflow_chassis.http.batch import ItemResult, check_list_field, models_in, results_model
from didflow_chassis.http.context import Http
from didflow_chassis.http.idempotency import is_json
from didflow_chassis.http.input_errors import check_fields, check_parameters, names_of
from didflow_chassis.http.lists import PARAMETERS, Page
from didflow_chassis.http.personal import check_answer
from didflow_chassis.http.problems import Problem
from didflow_contracts.roles import ROLES, ROLES_OF, Action, may, permissions

ACTION: Final = "x-action"
"""Where the OpenAPI document and the route itself keep the action, or several of which one suffices."""

BATCH_ITEM: Final = "x-batch-item"
"""Where a batch route keeps what one item is called."""

Actions = Action | tuple[Action, ...]
"""What a route needs: one action, or one of several."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Decorator(Protocol):
    """Registers an endpoint and returns it as it is."""

    def __call__(self, endpoint: Endpoint, /) -> Endpoint:
        """Register the endpoint."""


class Route(APIRoute):
    """A route with an action, or with several of which one suffices."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return the actions of the route. The caller's role must be able to do one of them."""
        return _as_tuple((self.openapi_extra or {})[ACTION])

    @property
    def batch_item(self) -> str | None:
        """Return what one item of a batch route is called, such as `did`; None for any other route."""
        return (self.openapi_extra or {}).get(BATCH_ITEM)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, behind the checks of the role and of unknown names.

        Raises TypeError if the answer has personal data of the body.
        """
        handle = super().get_route_handler()
        actions, parameters = self.actions, self._parameters()
        body_type = self.body_field.field_info.annotation if self.body_field else None
        check_answer(f"{min(self.methods or ())} {self.path}", models_in(body_type), self.response_model)

        async def checked(request: Request) -> Response:
            check_role(request.state.caller, actions)
            check_parameters(request.query_params, parameters)
            if body_type is not None and is_json(request.headers.get("content-type")):
                check_fields(body_type, _parsed(await request.body()))
            return await handle(request)

        return checked

    def _parameters(self) -> tuple[str, ...]:
        """Return the names of the query parameters that the route takes."""
        declared = [
            name
            for parameter in self.dependant.query_params
            for name in names_of(parameter.field_info.annotation) or (parameter.alias,)
        ]
        model = self.response_model
        is_list = "GET" in (self.methods or ()) and isinstance(model, type) and issubclass(model, Page)
        return tuple(dict.fromkeys((*declared, *(PARAMETERS if is_list else ()))))


def _parsed(body: bytes) -> Any:
    """Return the JSON value of a body, or None. A body that is not JSON is refused later, by `http_context`."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


class Router(APIRouter):
    """A router whose routes need an action of `didflow_contracts.roles`.

    All other options of a route are those of FastAPI. The prefix is `/v1` unless another is given.
    """

    def __init__(self, *, prefix: str = "/v1", tags: Sequence[str] = ()) -> None:
        super().__init__(prefix=prefix, tags=list(tags), route_class=Route)

    def get(self, path: str, *, action: Actions, **options: Any) -> Decorator:  # type: ignore[override]
        """Declare a GET route."""
        return self._declare("GET", path, action, options)

    def post(self, path: str, *, action: Actions, **options: Any) -> Decorator:  # type: ignore[override]
        """Declare a POST route."""
        return self._declare("POST", path, action, options)

    def patch(self, path: str, *, action: Actions, **options: Any) -> Decorator:  # type: ignore[override]
        """Declare a PATCH route."""
        return self._declare("PATCH", path, action, options)

    def put(self, path: str, *, action: Actions, **options: Any) -> Decorator:  # type: ignore[override]
        """Declare a PUT route."""
        return self._declare("PUT", path, action, options)

    def delete(self, path: str, *, action: Actions, **options: Any) -> Decorator:  # type: ignore[override]
        """Declare a DELETE route."""
        return self._declare("DELETE", path, action, options)

    def batch(
        self, path: str, *, action: Action, item: str, result: type[ItemResult] = ItemResult, **options: Any
    ) -> Decorator:
        """Declare a batch route, a POST about 1 to 1,000 things.

        `item` is what one of them is called, such as `did`: the list field of the body is then `dids`, and each
        result has `did` and the fields of `result`. The route returns what `HttpContext.batch` returns.
        Raises TypeError at once if the body does not have the list field.
        """

        def declare(endpoint: Endpoint, /) -> Endpoint:
            check_list_field(endpoint, item)
            extra = {**options.pop("openapi_extra", {}), BATCH_ITEM: item}
            model: type[BaseModel] = results_model(item, result)
            batch_options = {"response_model": model, **options, "openapi_extra": extra}
            return self._declare("POST", path, action, batch_options)(endpoint)

        return declare

    def _declare(self, method: str, path: str, action: Actions, options: dict[str, Any]) -> Decorator:
        if not ROLES_OF.keys() >= set(_as_tuple(action)):
            raise ValueError(f"{method} {path}: {action!r} is not an action of didflow_contracts.roles.")
        extra = {**options.pop("openapi_extra", {}), ACTION: action}
        return self.api_route(path, methods=[method], openapi_extra=extra, **options)


def _as_tuple(actions: Actions) -> tuple[Action, ...]:
    return (actions,) if isinstance(actions, str) else actions


def check_actions(router: APIRouter) -> None:
    """Raise TypeError unless every route of the router has an action. Without one, a route is open to all roles."""
    for route in router.routes:
        if not isinstance(route, Route):
            raise TypeError(f"{route} needs an action. Declare it with didflow_chassis.http.Router.")


def check_role(caller: Caller, actions: Sequence[Action]) -> None:
    """Raise Problem `role_not_allowed` unless the caller's role may do one of the actions."""
    if not any(may(caller.role, action) for action in actions):
        allowed = ", ".join(role for role in ROLES if any(may(role, action) for action in actions))
        raise Problem(
            "role_not_allowed",
            f"Your role {caller.role} may not do {' or '.join(actions)}. "
            f"Use a token with one of these roles: {allowed}.",
        )


class Me(BaseModel):
    """The caller, and the actions that its role may do."""

    sub: str
    account: str
    role: str
    permissions: list[Action]


me_router = Router()
"""`GET /v1/me`, for one service to mount."""


@me_router.get("/me", action="see_numbers", tags=["accounts"])
async def show_me(http: Http) -> Me:
    """Return who the caller is and which actions its role may do."""
    caller = http.caller
    return Me(
        sub=caller.subject,
        account=caller.account,
        role=caller.role,
        permissions=list(permissions(caller.role)),
    )
