"""Make the same products with the code of a commit and with the working tree, and compare them.

    make equal OLD=<commit>

The Level-1C products are simulated once, with the working tree; both codes process them. Some are
simulated with both codes, too. The table has a line for each case; below it stand the files that
differ and what differs. The exit code is 0 if nothing does, else 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from tests.equality import comparison, runs
from tests.equality.cases import CASES, SCENES, SIMULATED, Case
from tests.equality.comparison import Result
from tests.equality.runs import ROOT, STORE, Code, RunError

_AT_ONCE = 2
"""Commands that run at the same time: each has steps of one thread."""


def main() -> int:
    """Compare; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.equality", description=__doc__)
    parser.add_argument("commit", nargs="?", default="HEAD", help="the old code; default: HEAD")
    parser.add_argument(
        "--settings", nargs="+", default=[], metavar="NAME=VALUE", help="of all cases, where the "
        "case itself has no other; elements that one code does not know are ignored there",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only these cases")
    arguments = parser.parse_args()
    started = time.monotonic()
    commit = _git("rev-parse", "--verify", f"{arguments.commit}^{{commit}}").decode().strip()
    known = [*CASES, *(f"simulated {scene}" for scene in SIMULATED)]
    names = arguments.only or known
    common = dict(item.split("=", 1) for item in arguments.settings)
    cases = {
        name: replace(case, settings={**common, **case.settings}) for name, case in CASES.items()
    }
    if unknown := {*names} - {*known}:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    print(f"old: {commit}, new: working tree\n")
    print(f"{'case':20s} images documents differences other bytes", flush=True)
    results = {}
    with _tree(commit) as tree:
        old, new = Code(tree, STORE / commit), Code(ROOT, STORE / "new")
        for name, result in _results(old, new, names, cases):
            results[name] = result
            print(
                f"{name:20s} {result.images:6d} {result.documents:9d} "
                f"{len(result.differences):11d} {len(result.other_bytes):11d}",
                flush=True,
            )
    for name, result in results.items():
        for difference in result.differences:
            print(f"\n{name}: {difference}", end="")
        for file in result.other_bytes:
            print(f"\n{name}: {file}: other bytes, same content", end="")
    number = sum(len(result.differences) for result in results.values())
    print(f"\n{number} differences ({time.monotonic() - started:.0f} s)")
    return 1 if number else 0


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.decode().strip()}")
    return done.stdout


@contextmanager
def _tree(commit: str) -> Iterator[Path]:
    """Lay out the files of a commit in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="equal-") as folder:
        with tarfile.open(fileobj=BytesIO(_git("archive", commit, "sen2cor", "cfg"))) as archive:
            archive.extractall(folder)
        yield Path(folder).resolve()


def _results(
    old: Code, new: Code, names: list[str], cases: Mapping[str, Case]
) -> Iterator[tuple[str, Result]]:
    """Run and compare; yield the results as they come."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            scenes = [
                scene
                for scene in SCENES
                if f"simulated {scene}" in names
                or any(cases[name].scene == scene for name in names if name in cases)
            ]
            for made in [pool.submit(runs.make_input, new, scene) for scene in scenes]:
                made.result()
            waiting = [(name, _submit(pool, old, new, name, cases.get(name))) for name in names]
            for name, jobs in waiting:
                yield name, _result(old, new, name, jobs)
        except RunError as error:
            raise SystemExit(str(error)) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _submit(
    pool: ThreadPoolExecutor, old: Code, new: Code, name: str, case: Case | None
) -> list[Future[None]]:
    """Start what a case needs, the old code first."""
    if case is not None:
        return [
            pool.submit(runs.make_kept_product, old, name, case),
            pool.submit(runs.make_product, new, name, case),
        ]
    return [pool.submit(runs.make_kept_simulation, old, name.removeprefix("simulated "))]


def _result(old: Code, new: Code, name: str, jobs: list[Future[None]]) -> Result:
    jobs[0].result()
    try:
        for job in jobs[1:]:
            job.result()
    except RunError as error:
        return Result(differences=[str(error)])
    made = new.results / name
    if name not in CASES:
        made = runs.input_folder(name.removeprefix("simulated "))
    return comparison.compare(old.results / name, made)


if __name__ == "__main__":
    sys.exit(main())
