"""`make mutants`: removes each protection in a copy of its package and runs the tests that must fail.

It prints which test caught which mutant. The exit code is 1 if a mutant survives or no longer fits the code.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ledger import LEDGER
from mutants import MUTANTS, Mutant
from terms import TERMS

ROOT = Path(__file__).parents[2]
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def mutated(mutant: Mutant, folder: Path) -> Path:
    """Copy the package with the mutation. Raises ValueError if the mutation does not fit exactly once."""
    package = ROOT / mutant.package
    copy = folder / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / mutant.file
    text = file.read_text()
    if text.count(mutant.before) != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} holds the line {text.count(mutant.before)} times")
    file.write_text(text.replace(mutant.before, mutant.after))
    return folder


def caught_by(mutant: Mutant) -> list[str]:
    """Run the tests on the mutant and return the failed ones."""
    with tempfile.TemporaryDirectory() as folder:
        place = mutated(mutant, Path(folder))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "--no-header",
            "-p",
            "no:cacheprovider",
            *mutant.tests,
        ]
        environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
    if run.returncode not in (0, 1):
        raise ValueError(f"{mutant.name}: the tests did not run\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return [name.rpartition("/")[2] for name in _FAILED.findall(run.stdout)]


def main() -> int:
    """Try all mutants and print a line for each."""
    living = 0
    mutants = (*MUTANTS, *TERMS, *LEDGER)
    for mutant in mutants:
        try:
            tests = caught_by(mutant)
        except (ValueError, subprocess.TimeoutExpired) as error:
            tests, said = [], str(error)
        else:
            said = f"caught by {tests[0]}" if tests else "LIVES"
        living += not tests
        print(f"{mutant.name:<46} {said}", flush=True)  # noqa: T201 - this is its output
    print(f"{len(mutants) - living} of {len(mutants)} mutants caught")  # noqa: T201
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
