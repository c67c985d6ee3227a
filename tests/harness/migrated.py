"""What makes an empty database that of a service. One function for each service: its template is made once a run."""

from functools import cache

from didflow.services import service
from didflow_chassis.migrate import upgrade
from harness.postgres import Prepare


@cache
def migrated(name: str) -> Prepare:
    """Return the function that migrates a service's database. Raises KeyError for another name when it is called."""

    async def prepare(dsn: str) -> None:
        await upgrade(dsn, service(name))

    return prepare
