"""The bodies and query parameters of requests about carriers. Unknown fields are refused."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from didflow_contracts.bounds import BATCH, NAME
from didflow_contracts.names import DidName, parse_did
from didflow_contracts.vocabulary import CarrierAction, Name
from didflow_provisioning.domain.carrier_command import CommandState
from didflow_provisioning.store.tables import carrier_commands

CommandName = Annotated[str, Field(max_length=NAME.most)]
"""The id of a carrier command. What is no id is not found."""

CommandNames = Annotated[
    list[CommandName], Field(json_schema_extra={"minItems": BATCH.least, "maxItems": BATCH.most})
]


class CarrierCommandsBody(BaseModel):
    """Carrier commands to retry."""

    model_config = ConfigDict(extra="forbid")

    commands: CommandNames = Field(description="1 to 1,000 ids of carrier commands.")


class CarrierCommandsQuery(BaseModel):
    """Filters of the list of carrier commands. A command must match all of them."""

    did: DidName | None = Field(default=None, description="A DID id, or a number for all its DIDs.")
    carrier: Name | None = None
    action: CarrierAction | None = None
    state: CommandState | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Return the conditions of the filters that were given."""
        if self.did is not None:
            did = parse_did(self.did)
            column = carrier_commands.c.did_id if isinstance(did, UUID) else carrier_commands.c.number
            yield sa.false() if did is None else column == did
        for name in ("carrier", "action", "state"):
            value = getattr(self, name)
            if value is not None:
                yield carrier_commands.c[name] == value
