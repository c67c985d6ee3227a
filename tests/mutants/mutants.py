"""The protections that the guarantees of the chassis depend on. Each mutant removes one; its tests must fail."""

from dataclasses import dataclass

STAGE = "chassis/tests/postgres/stage"
KAFKA = "chassis/tests/kafka"
TIMERS = "chassis/tests/postgres/test_timers.py"
LEASES = f"{STAGE}/test_job_leases.py"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One protection: `before` in `file` of `package` becomes `after`. At least one of `tests` must fail."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    package: str = "chassis/didflow_chassis"


MUTANTS = (
    Mutant(
        name="no inbox insert",
        file="stage/unit_of_work.py",
        before="    inbox = _columns(work.inbox) if work.inbox else ([], [], [], [])\n",
        after="    inbox: Any = ([], [], [], [])\n",
        tests=(f"{STAGE}/test_stage.py",),
    ),
    Mutant(
        name="no key locks",
        file="stage/transaction.py",
        before="SELECT CASE WHEN w THEN pg_advisory_xact_lock(k)::text "
        "ELSE pg_advisory_xact_lock_shared(k)::text END AS got",
        after="SELECT k::text AS got",
        tests=(f"{STAGE}/test_contention.py",),
    ),
    Mutant(
        name="no version fence",
        file="states.py",
        before=" WHERE t.version = excluded.version - 1",
        after="",
        tests=(f"{STAGE}/test_contention.py",),
    ),
    Mutant(
        name="no lock around the relay",
        file="relay.py",
        before='"SELECT pg_try_advisory_lock($1)", LEASE',
        after='"SELECT $1::bigint > 0", LEASE',
        tests=(f"{KAFKA}/test_relay.py",),
    ),
    Mutant(
        name="no end of a session that stops within a statement",
        file="relay.py",
        before='"transaction_timeout": "10000"',
        after='"transaction_timeout": "0"',
        tests=(f"{KAFKA}/test_lease.py",),
    ),
    Mutant(
        name="rows in progress read again",
        file="relay.py",
        before="in_progress = self._publisher.in_progress",
        after="in_progress: list[int] = []",
        tests=(f"{KAFKA}/test_relay.py",),
    ),
    Mutant(
        name="no waiting for the batch ahead",
        file="partition_queue.py",
        before="            await response\n",
        after="            response.cancelled()\n",
        tests=("chassis/tests/unit/test_publisher.py",),
    ),
    Mutant(
        name="no holding back behind the unknown",
        file="publisher.py",
        before="            self._late[queue] = {*queue.current_keys, *behind}\n",
        after="",
        tests=("chassis/tests/unit/test_publisher.py",),
    ),
    Mutant(
        name="no lease on the relay's lock",
        file="relay.py",
        before='"idle_session_timeout": "5000"',
        after='"idle_session_timeout": "0"',
        tests=(f"{KAFKA}/test_lease.py",),
    ),
    Mutant(
        name="no seek after a batch that was not committed",
        file="offsets.py",
        before="            self._consumer().seek(partition, offset)\n",
        after="",
        tests=(f"{KAFKA}/test_consumer.py",),
    ),
    Mutant(
        name="no holding of early messages behind one that fails",
        file="stage/entity_queue.py",
        before="            if queue.is_held:\n",
        after="            if message.failed:\n",
        tests=("chassis/tests/unit/test_fake_stage.py",),
    ),
    Mutant(
        name="no parts of an HTTP batch of which a row is refused",
        file="stage/stage.py",
        before="                if not is_batch or is_split or isinstance(error, TooWide):\n",
        after="                if error:\n",
        tests=("chassis/tests/unit/test_fake_stage.py",),
    ),
    Mutant(
        name="no decoding record by record",
        file="stage/messages.py",
        before="            return poison(record, bad.code, bad.reason, parked_id=parked_id)\n",
        after="            raise\n",
        tests=(f"{STAGE}/test_stage.py",),
    ),
    Mutant(
        name="offsets committed before the database",
        file="consumer.py",
        before="        await self._stage.records(",
        after="        self._commits.add(records)\n        await self._stage.records(",
        tests=(f"{KAFKA}/test_consumer.py",),
    ),
    Mutant(
        name="timers decide on states that others have locked",
        file="stage/busy.py",
        before="        return hash64(lock_name(self.service, ref)) in self.locks\n",
        after="        return False\n",
        tests=(TIMERS,),
    ),
    Mutant(
        name="all workers choose the same due timers",
        file="due.py",
        before="random() AS place FROM oldest",
        after="0.5 AS place FROM oldest",
        tests=(TIMERS,),
    ),
    Mutant(
        name="no pause after a chunk that could do nothing",
        file="timers.py",
        before="        return has_done and len(rows) == size\n\n    async def _run_parked",
        after="        return len(rows) == size\n\n    async def _run_parked",
        tests=(TIMERS,),
    ),
    Mutant(
        name="no locks of an operation",
        file="stage/operations.py",
        before="                await _lock(connection, await operation.locks(connection))\n",
        after="",
        tests=(f"{STAGE}/test_dead_letters.py",),
    ),
    Mutant(
        name="no claim of an operation",
        file="stage/operations.py",
        before="stored = await call.claim(connection)",
        after="stored = None",
        tests=("chassis/tests/postgres/http/test_operators.py",),
    ),
    Mutant(
        name="no lock on retried rows without an entity",
        file="parked.py",
        before="ORDER BY id FOR UPDATE SKIP LOCKED",
        after="ORDER BY id",
        tests=(f"{STAGE}/test_retried_letters.py",),
    ),
    Mutant(
        name="no lock of a job",
        file="jobs/store.py",
        before="    await connection.execute(_LOCK, hash64(JOBS.lock_of(job_id)))\n",
        after="",
        tests=(LEASES,),
    ),
    Mutant(
        name="no check of the position of a job",
        file="jobs/chunk.py",
        before='            or (place["position"], place["processed"]) != here\n',
        after="",
        tests=(LEASES,),
    ),
    Mutant(
        name="chunks of a job that has failed meanwhile",
        file="jobs/store.py",
        before="WHERE job_id = $1 AND state IN ('queued', 'running')\n\"\"\"  # noqa: S608\n_ADD",
        after='WHERE job_id = $1\n"""  # noqa: S608\n_ADD',
        tests=(LEASES,),
    ),
    Mutant(
        name="leases that are not given back with the chunk",
        file="jobs/store.py",
        before="    lease = NULL, leased_until = clock_timestamp(),\n    state",
        after="    leased_until = clock_timestamp(),\n    state",
        tests=(LEASES,),
    ),
    Mutant(
        name="jobs leave out entities that wait for an operator",
        file="stage/entity_queue.py",
        before="        if message.handler.when_held or not (",
        after="        if not (",
        tests=("chassis/tests/unit/test_fake_stage.py",),
    ),
    Mutant(
        name="timers of an entity run before its failed message",
        file="stage/entity_queue.py",
        before="is_settled = queue.is_held or self._settle(queue, message)",
        after="is_settled = self._settle(queue, message)",
        tests=("chassis/tests/unit/test_fake_stage.py",),
    ),
    Mutant(
        name="the data of one account opens the breaker",
        file="stage/breaker.py",
        before=" and len(accounts) >= MIN_ACCOUNTS",
        after=" and len(accounts) >= 0",
        tests=("chassis/tests/unit/test_breaker.py",),
    ),
    Mutant(
        name="no bound of the parked messages of an entity",
        file="parked_bounds.py",
        before='    places = [(("entity", row.entity), bounds.entity_rows, bounds.entity_bytes)]\n',
        after="    places: list[tuple[Place, int, int]] = []\n",
        tests=(f"{STAGE}/test_parked_bounds.py",),
    ),
    Mutant(
        name="large parked messages are read by batches of records",
        file="parked.py",
        before="<= {SMALL_BYTES} AS is_read",
        after="<= 10 * {READ_BYTES} AS is_read",
        tests=(f"{STAGE}/test_large_parked.py",),
    ),
    Mutant(
        name="events are decided before large early messages that are due",
        file="stage/entity_queue.py",
        before="queue.is_held or (queue.is_deferred and is_event)",
        after="queue.is_held",
        tests=(f"{STAGE}/test_large_parked.py",),
    ),
    Mutant(
        name="a kept message is replaced although its text has changed",
        file="kept_messages.py",
        before=" AND {text} IS NOT DISTINCT FROM $9",
        after=" AND coalesce($9::text, '') IS NOT NULL",
        tests=(f"{STAGE}/test_kept_messages.py",),
    ),
    Mutant(
        name="no end of an account's name in its subtree",
        file="tenancy.py",
        before='ordered >= f"{account}/"',
        after="ordered >= account",
        tests=("tests/tenancy",),
    ),
    Mutant(
        name="no account in the key of a stored answer",
        file="http/idempotency.py",
        before="zip(identity, key.identity, strict=True)",
        after="zip(identity[1:], key.identity[1:], strict=True)",
        tests=("chassis/tests/postgres/http/test_idempotency.py",),
    ),
    Mutant(
        name="a view that differs by the same event may be behind",
        package="stack/didflow",
        file="consistency/axes.py",
        before="certain = bool(fields) and (sequence == self.counted or self._is_contradicted())",
        after="certain = False",
        tests=("tests/test_consistency.py",),
    ),
    Mutant(
        name="the consistency check looks only once",
        package="stack/didflow",
        file="consistency/check.py",
        before="    while looks.is_doubtful and (left := until - time.monotonic()) > 0:\n",
        after="    while (left := 0.0) > 0:\n",
        tests=("tests/test_consistency.py",),
    ),
    Mutant(
        name="views apply older events too",
        package="contracts/didflow_contracts",
        file="sequences.py",
        before="return event.sequence is None or event.sequence > sequences.get(_key(axis, event), 0)",
        after="return True",
        tests=("tests/faults/test_f12_all_services.py",),
    ),
    Mutant(
        name="the subject is not part of an idempotency key",
        file="stage/idempotency.py",
        before="        return self.account, self.subject, self.route",
        after="        return self.account, '', self.route",
        tests=("chassis/tests/postgres/http/test_idempotency.py",),
    ),
    Mutant(
        name="bad tokens are verified without limit",
        file="http/authentication.py",
        before="        self._check_failures(scope, place)\n        try:\n",
        after="        try:\n",
        tests=("chassis/tests/unit/http/test_failed_authentications.py",),
    ),
    Mutant(
        name="accounts have no limit of their own",
        file="http/limits.py",
        before="            (self._accounts, account),\n",
        after="",
        tests=("chassis/tests/unit/http/test_limits.py",),
    ),
    Mutant(
        name="a header may take for ever",
        file="connections.py",
        before="        elif _is_over(self._header_since, limits.header_s, now):\n",
        after="        elif _is_over(None, limits.header_s, now):\n",
        tests=("chassis/tests/unit/test_connections.py",),
    ),
    Mutant(
        name="log lines with the values of rows",
        file="telemetry/error_texts.py",
        before="    if isinstance(error, asyncpg.PostgresError):\n",
        after="    if isinstance(error, Warning):\n",
        tests=("chassis/tests/postgres/test_logged_errors.py",),
    ),
    Mutant(
        name="no policy on the tables that HTTP reads",
        file="grants.py",
        before="    condition = None if rule is None else condition_of(name, rule)\n",
        after="    condition = None\n",
        tests=("tests/tenancy/test_second_lock.py",),
    ),
    Mutant(
        name="every session has the reach of an operator",
        file="row_access.py",
        before="nullif(current_setting('{SETTING}', true), '')",
        after="coalesce('{ALL}', '{SETTING}')",
        tests=("tests/tenancy/test_second_lock.py",),
    ),
    Mutant(
        name="no comparison of rows without a policy",
        file="row_access.py",
        before="        if not is_inside:\n",
        after="        if is_inside is None:\n",
        tests=("tests/tenancy/test_second_lock.py",),
    ),
    Mutant(
        name="the service may change what it has appended",
        file="grants.py",
        before="return _INSERT_ONLY if name in append_only else _ALL_RIGHTS",
        after="return _ALL_RIGHTS if append_only else _ALL_RIGHTS",
        tests=("tests/tenancy/test_second_lock.py",),
    ),
    Mutant(
        name="what others have taken is not chosen again",
        file="http/context.py",
        before="                if is_outdated(command, results[0]):\n",
        after="                if is_outdated is None:\n",
        tests=("services/inventory/tests/postgres/test_reservations_over_http.py",),
    ),
)
