"""The chassis' own statements: one for each table and batch, whatever the batch's size."""

LOCK = """
WITH locked AS MATERIALIZED (
    SELECT CASE WHEN w THEN pg_advisory_xact_lock(k)::text ELSE pg_advisory_xact_lock_shared(k)::text END AS got
    FROM unnest($1::bigint[], $2::boolean[]) AS wanted (k, w))
SELECT clock_timestamp() + (SELECT shift FROM clock), count(got) FROM locked
"""

TRY_LOCK = """
WITH locked AS MATERIALIZED (
    SELECT k, CASE WHEN w THEN pg_try_advisory_xact_lock(k) ELSE pg_try_advisory_xact_lock_shared(k) END AS got
    FROM unnest($1::bigint[], $2::boolean[]) AS wanted (k, w))
SELECT clock_timestamp() + (SELECT shift FROM clock), array_agg(k) FILTER (WHERE NOT got) FROM locked
"""

SEEN = "SELECT id, digest, spot FROM inbox WHERE id = ANY($1::bytea[]) OR spot = ANY($2::bigint[])"

WAITERS = """
SELECT id, entity, subject, model, reason, attempts, due_at, topic, partition, "offset", key, value, headers
FROM parked WHERE entity = ANY($1::text[]) OR id = ANY($2::bigint[]) ORDER BY id
"""

WRITE_INBOX = """
INSERT INTO inbox (id, digest, outcome, spot, seen_at)
SELECT i, d, o, s, clock_timestamp() FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::bigint[]) AS u (i, d, o, s)
"""

WRITE_INBOX_AND_OUTBOX = """
WITH taken AS (
    INSERT INTO inbox (id, digest, outcome, spot, seen_at)
    SELECT i, d, o, s, clock_timestamp()
    FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::bigint[]) AS u (i, d, o, s)
), written AS (
    INSERT INTO outbox (topic, key, value, headers)
    SELECT t, k, v, h FROM unnest($5::text[], $6::bytea[], $7::bytea[], $8::jsonb[])
        WITH ORDINALITY AS u (t, k, v, h, n) ORDER BY n)
SELECT pg_notify('outbox', '')
"""

WRITE_PARKED = """
INSERT INTO parked (entity, subject, model, reason, missing, attempts, due_at, since, last_error, inbox_id,
                    topic, partition, "offset", key, value, headers)
SELECT e, s, m, r, mi, a, d, clock_timestamp(), l, i, t, p, o, k, v, h
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::timestamptz[],
            $8::text[], $9::bytea[], $10::text[], $11::integer[], $12::bigint[], $13::bytea[], $14::bytea[],
            $15::jsonb[])
    WITH ORDINALITY AS u (e, s, m, r, mi, a, d, l, i, t, p, o, k, v, h, n) ORDER BY n
"""

MOVE_PARKED = """
UPDATE parked SET reason = r, attempts = a, due_at = d, last_error = e
FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::timestamptz[], $5::text[]) AS u (i, r, a, d, e)
WHERE parked.id = i
"""

UNPARK = "DELETE FROM parked WHERE id = ANY($1::bigint[])"

WRITE_DEAD_LETTERS = """
INSERT INTO dead_letters (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated, entity)
SELECT i, clock_timestamp(), r, d, t, p, o, k, v, h, c, e
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bytea[], $8::bytea[],
            $9::jsonb[], $10::boolean[], $11::text[]) AS u (i, r, d, t, p, o, k, v, h, c, e)
"""

CLAIM_KEY = "SELECT pg_try_advisory_xact_lock($1)"

STORED_ANSWER = "SELECT digest, status, body FROM idempotency WHERE account = $1 AND route = $2 AND key = $3"

STORE_ANSWER = """
INSERT INTO idempotency (account, route, key, digest, status, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
"""
