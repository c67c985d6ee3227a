"""`python -m faults.job_worker billing`: the worker of a service, with the kinds of jobs of these tests.

`--lease-s` shortens the leases of its jobs, so that a test does not wait ten seconds for the lease of a frozen worker.
With 0 it never has a lease: another worker works on the same chunks at the same time. `--chunk` makes chunks smaller,
so that a short job has many.
"""

import argparse
import asyncio
import sys
from dataclasses import replace

import typer
from faults.job_kinds import KINDS

from didflow import services
from didflow_chassis.commandline import Program
from didflow_chassis.jobs import store
from didflow_chassis.pacing import MAX_CHUNK
from didflow_chassis.processes import WORKER, run_worker
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings


def with_test_kinds(name: str, settings: Settings | None = None, chunk: int = MAX_CHUNK) -> Service:
    """Build a service with the kinds of jobs of these tests."""
    built = services.service(name, settings)
    jobs = {**built.jobs, **KINDS.get(name, {})}
    return replace(built, jobs={kind: replace(job, chunk=chunk) for kind, job in jobs.items()})


async def _never(*_: object) -> None:
    """Renew no lease."""
    await asyncio.Event().wait()


def main() -> None:
    """Run the worker until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("service")
    parser.add_argument("--lease-s", type=float, default=store.LEASE_S)
    parser.add_argument("--chunk", type=int, default=MAX_CHUNK)
    given = parser.parse_args()
    store.LEASE_S = given.lease_s
    if not given.lease_s:
        store.renew = _never
    name = given.service

    def build(settings: Settings) -> Service:
        return with_test_kinds(name, settings, given.chunk)

    try:
        Program(name, build, services.settings_class(name)).run(WORKER, run_worker)
    except typer.Exit as end:
        sys.exit(end.exit_code)


if __name__ == "__main__":
    main()
