"""The answer to a change has no personal data, because it is stored for replays."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from didflow_chassis.http import Http, Personal, Router


class Guest(BaseModel):
    """A body with a personal field."""

    table: int
    name: Annotated[str, Personal]


class Tourist(BaseModel):
    """Another one."""

    passport: Annotated[str | None, Personal] = None


class Seat(BaseModel):
    """An answer without the personal field."""

    table: int


@pytest.mark.parametrize("body", [Guest, Guest | Tourist])
def test_a_route_that_answers_with_personal_data_of_its_body_is_a_mistake(body: Any) -> None:
    """The service does not start. One body of several is enough."""
    router = Router()

    async def seat(http: Http, body: Any) -> Any:
        """Seat a guest."""

    seat.__annotations__["body"] = body
    with pytest.raises(TypeError, match="POST /v1/guests answers with personal data: name"):
        router.post("/guests", action="edit", response_model=Guest)(seat)
    router.post("/guests", action="edit", response_model=Seat)(seat)
