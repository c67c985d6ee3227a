"""Runs every row of the fault matrix several times with different seeds and prints one report.

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
NOT_RANDOM = "--ignore=tests/faults/test_nemesis.py"
sys.path.insert(0, str(ROOT / "tests"))

from faults.summary import FILE, Summary, TestResult  # noqa: E402 - the folder of the tests is no package's


def run(seed: int, told: list[str], file: Path) -> int:
    """Run every row once and add the results to the file. Return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/faults", NOT_RANDOM, *told]
    environment = {**os.environ, "DIDFLOW_SEED": str(seed), FILE: str(file)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Run all and print the report."""
    parser = argparse.ArgumentParser(description="Every row of the fault matrix, several times.")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--seed", type=int, help="of the first run; the others follow from it")
    chosen, told = parser.parse_known_args()
    chance = random.Random(chosen.seed)
    seeds = [
        chosen.seed or chance.randrange(2**32),
        *(chance.randrange(2**32) for _ in range(chosen.times - 1)),
    ]
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.jsonl"
        file.touch()
        for seed in seeds:
            began = time.monotonic()
            codes.append(run(seed, told, file))
            print(f"seed {seed}: {time.monotonic() - began:.0f} s, exit code {codes[-1]}", flush=True)  # noqa: T201
        summary = Summary([TestResult.read(line) for line in file.read_text().splitlines()])
    print(f"\n{len(seeds)} times\n{summary}")  # noqa: T201 - the report is what it is for
    return 0 if summary.passed and not any(codes) else 1


if __name__ == "__main__":
    sys.exit(main())
