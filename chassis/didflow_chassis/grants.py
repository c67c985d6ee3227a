"""What the roles of a service may do in its database, derived from the tables. `migrate` applies it each time.

Three roles: the one that migrates owns the tables. The service's own role reads and writes rows; it never changes or
deletes rows of an append-only table, and only reads what triggers write. HTTP reads as the third, the reader: it has
no rights but SELECT, and policies limit it to the reach of the caller (see `row_access`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from didflow_chassis import tables
from didflow_chassis.row_access import condition_of, is_append_only, is_written_by_triggers, kept_for, rule_of
from didflow_chassis.service import Service

_ALL_RIGHTS: Final = "SELECT, INSERT, UPDATE, DELETE"
_INSERT_ONLY: Final = "SELECT, INSERT"
_NO_UPDATE: Final = "SELECT, INSERT, DELETE"
_READ_ONLY: Final = "SELECT"
_VERSIONS: Final = "alembic_version"

_RELATIONS: Final = """
SELECT c.relname, c.relkind = 'v', c.relrowsecurity, obj_description(p.oid, 'pg_policy')
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'reader'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Roles:
    """The roles that rights are granted to. With `movable_clock`, the service may move its clock."""

    service: str
    reader: str
    movable_clock: bool = False


def apply(connection: sa.Connection, service: Service, roles: Roles) -> None:
    """Grant the rights of both roles and make the policies. A policy that has not changed locks nothing."""
    known = tables_of(service)
    append_only = append_only_tables(service)
    for name, is_view, has_policies, applied in connection.exec_driver_sql(_RELATIONS).all():
        table = known.get(name)
        rights = _READ_ONLY if is_view else _rights(name, append_only, roles)
        rights = _NO_UPDATE if _is_pruned(table) else rights
        rights = _READ_ONLY if table is not None and is_written_by_triggers(table) else rights
        statements = [*_granted(name, rights, roles.service)]
        is_readable = table is not None and rule_of(table) is not None
        statements += _granted(name, _READ_ONLY if is_readable else None, roles.reader)
        if not is_view:
            statements += _policies(name, table, roles, has_policies, applied)
        for statement in statements:
            connection.exec_driver_sql(statement)


def tables_of(service: Service) -> Mapping[str, sa.Table]:
    """Return all tables of a service's database by their names."""
    all_metadata = {id(kind.table.metadata): kind.table.metadata for kind in service.all_kinds}
    found = {name: table for each in all_metadata.values() for name, table in each.tables.items()}
    return found | dict(tables.METADATA.tables)


def append_only_tables(service: Service) -> frozenset[str]:
    """Return the service's tables whose rows it never changes and never deletes.

    The chassis prunes all of its own, and those that are `kept_for` a time.
    """
    kinds = {kind.table.name for kind in service.kinds if kind.append_only and kind.kept_for is None}
    others = tables_of(service).items()
    return frozenset(kinds | {n for n, each in others if is_append_only(each) and kept_for(each) is None})


def _is_pruned(table: sa.Table | None) -> bool:
    return table is not None and is_append_only(table) and kept_for(table) is not None


def _rights(name: str, append_only: frozenset[str], roles: Roles) -> str:
    if name == _VERSIONS or (name == tables.clock.name and not roles.movable_clock):
        return _READ_ONLY
    return _INSERT_ONLY if name in append_only else _ALL_RIGHTS


def _granted(name: str, rights: str | None, role: str) -> Iterator[str]:
    yield f"REVOKE ALL ON {quoted(name)} FROM {quoted(role)}"
    if rights is not None:
        yield f"GRANT {rights} ON {quoted(name)} TO {quoted(role)}"


def _policies(
    name: str, table: sa.Table | None, roles: Roles, has_policies: bool, applied: str | None
) -> Iterator[str]:
    rule = None if table is None else rule_of(table)
    condition = None if rule is None else condition_of(name, rule)
    wanted = None if condition is None else _digest(condition, roles)
    if applied == wanted and has_policies == (condition is not None):
        return
    about = quoted(name)
    yield f"DROP POLICY IF EXISTS service ON {about}"
    yield f"DROP POLICY IF EXISTS reader ON {about}"
    if condition is None:
        yield f"ALTER TABLE {about} DISABLE ROW LEVEL SECURITY"
        return
    service, reader = quoted(roles.service), quoted(roles.reader)
    yield f"CREATE POLICY service ON {about} TO {service} USING (true) WITH CHECK (true)"
    yield f"CREATE POLICY reader ON {about} FOR SELECT TO {reader} USING ({condition})"
    yield f"COMMENT ON POLICY reader ON {about} IS '{wanted}'"
    yield f"ALTER TABLE {about} ENABLE ROW LEVEL SECURITY"


def _digest(condition: str, roles: Roles) -> str:
    return sha256(f"{condition}\n{roles.service}\n{roles.reader}".encode()).hexdigest()


def quoted(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
