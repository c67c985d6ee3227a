"""The statements that find the DIDs on a target, for the jobs that carry its change or its replacement to them.

Each reads the index of the target and no other DIDs, whatever the number of DIDs.
"""

from dataclasses import dataclass
from typing import Final

from didflow_provisioning.store.tables import SMS_TARGET, VOICE_TARGET

_ITSELF: Final = "SELECT $1::uuid AS id"
_WITH_GROUPS: Final = f"""{_ITSELF} UNION ALL
    SELECT group_id FROM voice_trunk_groups
    WHERE NOT deleted AND trunks @> jsonb_build_array(jsonb_build_object('voice_trunk_id', $1::uuid))"""  # noqa: S608

_ZERO: Final = "'00000000-0000-0000-0000-000000000000'::uuid"


@dataclass(frozen=True, kw_only=True)
class MovedDids:
    """The live DIDs whose setting in `column` names a target. `target` is the indexed expression of the target's id.

    `targets` selects the targets: `$1` itself, or with the groups that contain it.
    """

    column: str
    target: str
    targets: str = _ITSELF

    @property
    def count(self) -> str:
        """Count the DIDs on the target $1. Each of the targets is counted by the index, whatever their number."""
        return f"""
            SELECT coalesce(sum(r.dids), 0)::bigint FROM ({self.targets}) AS t CROSS JOIN LATERAL (
                SELECT count(*) AS dids FROM routings
                WHERE {self.column} IS NOT NULL AND {self.target} = t.id) AS r"""  # noqa: S608

    @property
    def page(self) -> str:
        """Select DIDs on the target $1 behind the target $2 and the DID $3, in this order: $4 at most."""
        return f"""
            SELECT t.id AS target, r.did_id, r.number, r.kind
            FROM (SELECT id FROM ({self.targets}) AS every WHERE id >= $2 ORDER BY id) AS t CROSS JOIN LATERAL (
                SELECT did_id, number, {self.column} -> 'delivery' ->> 'kind' AS kind FROM routings
                WHERE {self.column} IS NOT NULL AND {self.target} = t.id
                AND did_id > CASE WHEN t.id = $2 THEN $3 ELSE {_ZERO} END
                ORDER BY did_id LIMIT $4) AS r
            ORDER BY t.id, r.did_id LIMIT $4"""  # noqa: S608

    @property
    def late(self) -> str:
        """Select DIDs on the target $1 without a result in the job $2, except the DIDs $3: $4 at most.

        The results name a DID by its number.
        """
        return f"""
            SELECT $1::uuid AS target, did_id, number, {self.column} -> 'delivery' ->> 'kind' AS kind FROM routings
            WHERE {self.column} IS NOT NULL AND {self.target} = $1 AND did_id <> ALL($3::uuid[])
            AND NOT EXISTS (SELECT FROM job_results WHERE job_id = $2 AND item = routings.number)
            ORDER BY did_id LIMIT $4"""  # noqa: S608


SMS: Final = MovedDids(column="sms", target=SMS_TARGET)
VOICE: Final = MovedDids(column="voice", target=VOICE_TARGET)
VOICE_WITH_GROUPS: Final = MovedDids(column="voice", target=VOICE_TARGET, targets=_WITH_GROUPS)
"""A change of a voice trunk also reaches the DIDs on groups that contain it."""
