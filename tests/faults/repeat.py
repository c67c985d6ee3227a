"""Run every row of the fault matrix several times with different seeds and print one report.

python tests/faults/repeat.py --times 5 [--seed 7] [options for pytest, such as -k F07]

The exit code is 1 if a row failed in any run. Each failure is printed with its seed.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_RANDOM = "--ignore=tests/faults/test_random_faults.py"
sys.path.insert(0, str(ROOT / "tests"))

from faults.summary import FILE, FaultResult, Summary  # noqa: E402 - the folder of the tests is not a package


def run(seed: int, pytest_options: list[str], file: Path) -> int:
    """Run every row once and add the results to the file. Return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/faults", NOT_RANDOM, *pytest_options]
    environment = {**os.environ, "DIDFLOW_SEED": str(seed), FILE: str(file)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Run all and print the report."""
    parser = argparse.ArgumentParser(description="Run every row of the fault matrix several times.")
    parser.add_argument("--times", type=int, default=5, help="number of runs")
    parser.add_argument("--seed", type=int, help="seed of the first run; the other seeds are derived from it")
    chosen, pytest_options = parser.parse_known_args()
    random_source = random.Random(chosen.seed)
    seeds = [
        chosen.seed or random_source.randrange(2**32),
        *(random_source.randrange(2**32) for _ in range(chosen.times - 1)),
    ]
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.jsonl"
        file.touch()
        for seed in seeds:
            began = time.monotonic()
            codes.append(run(seed, pytest_options, file))
            print(f"seed {seed}: {time.monotonic() - began:.0f} s, exit code {codes[-1]}", flush=True)  # noqa: T201
        summary = Summary([FaultResult.read(line) for line in file.read_text().splitlines()])
    print(f"\n{len(seeds)} times\n{summary}")  # noqa: T201 - the report is the output of this script
    return 0 if summary.passed and not any(codes) else 1


if __name__ == "__main__":
    sys.exit(main())
