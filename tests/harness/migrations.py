"""The functions that migrate the databases of services. There is one for each service, so its template is made once."""

from didflow.embedded.databases import roles_of
from didflow.services import service
from didflow_chassis.migrate import upgrade
from didflow_chassis.service import Service
from harness.postgres import Prepare

_MIGRATIONS: dict[str, Prepare] = {}


def migration_of(about: Service | str) -> Prepare:
    """Return the function that migrates a service's database. `about` is the service, or the name of one of ours.

    Raises KeyError if there is no service of that name.
    """
    found = service(about) if isinstance(about, str) else about

    async def prepare(dsn: str) -> None:
        await upgrade(dsn, found, roles_of(dsn))

    return _MIGRATIONS.setdefault(found.name, prepare)
