"""Faults of the machine, repeated: kills, full disks, locks, clocks, concurrent runs.

``python -m tests.faults.campaign --kills 200`` prints a table; its exit code is 0 if all trials
ended correctly. No trial may hang, print a traceback, leave an incomplete product, or leave
temporary files after a run that could clean up.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import psutil

from tests.command import ROOT, configuration, hidden, image_digests, start
from tests.small_product import write_small_product, write_tiles

EXTENT = 1980
HANG = 60.0
"""Seconds without CPU time after which a run hangs; on a busy machine all runs take long."""
MAX_CPU = 120.0
"""CPU seconds that no run needs."""
SOON = 5.0
"""Seconds within which a run must stop after SIGTERM, in addition to the duration of a whole run,
which grows with the load of the machine."""


class Fault(AssertionError):  # noqa: N818
    """A trial did not end correctly."""


@dataclass
class Bench:
    """Common inputs of the trials: products, results of undisturbed runs, random numbers.

    Attributes
    ----------
    folder : Path
    product, two_tiles : Path
        Level-1C products.
    parallel : Path
        Configuration with two processes.
    jobs : int
        Number of concurrent trials.
    """

    folder: Path
    product: Path
    two_tiles: Path
    parallel: Path
    jobs: int
    chance: random.Random
    references: dict[Path, dict[str, str]] = field(default_factory=dict)
    seconds: dict[Path, float] = field(default_factory=dict)
    stops: list[float] = field(default_factory=list)

    @classmethod
    def build(cls, folder: Path, jobs: int, seed: int) -> Bench:
        product = write_small_product(folder / "one", extent=EXTENT)
        two_tiles = write_tiles(folder / "two", ("33UUU", "33UVU"), EXTENT)
        parallel = configuration(folder, Nr_Processes=2)
        bench = cls(folder, product, two_tiles, parallel, jobs, random.Random(seed))
        for level1c in (product, two_tiles):
            out = folder / f"reference_{level1c.parent.name}"
            began = time.monotonic()
            bench.finish(bench.start(out, level1c), 0)
            bench.seconds[level1c] = time.monotonic() - began
            bench.references[level1c] = image_digests(_product(out))
        return bench

    def start(self, out: Path, level1c: Path | None = None, *more: object) -> subprocess.Popen[str]:
        """Start a run at 60 m."""
        return start(level1c or self.product, "--resolution", 60, "--output_dir", out, *more)

    def finish(self, process: subprocess.Popen[str], *codes: int) -> str:
        """Wait for the end of a run, check its output, and return its standard error."""
        try:
            output, errors = _await_end(process)
        except subprocess.TimeoutExpired:
            raise Fault("hangs") from None
        if "Traceback" in output + errors:
            raise Fault(f"traceback: {errors[-300:]}")
        if process.returncode not in codes:
            raise Fault(f"exit code {process.returncode}, not one of {codes}: {errors[-300:]}")
        return errors

    def check(self, out: Path, level1c: Path | None = None) -> None:
        """Check the product in a folder: complete, equal pixels, nothing else there."""
        if hidden(out):
            raise Fault(f"left behind: {hidden(out)}")
        if image_digests(_product(out)) != self.references[level1c or self.product]:
            raise Fault("pixels differ")

    def moment(self, level1c: Path | None = None) -> float:
        """Draw a moment within a run, in seconds after its start."""
        return self.chance.uniform(0.0, self.seconds[level1c or self.product] * 1.1)


Trial = Callable[[Bench, Path, int], str]


def killed(bench: Bench, out: Path, number: int) -> str:
    """SIGKILL at any moment of a run; every second trial reprocesses a product."""
    again = number % 2 == 1
    if again:
        bench.finish(bench.start(out), 0)
    process = bench.start(out, None, *(["--refresh"] if again else []))
    with suppress(subprocess.TimeoutExpired):
        process.wait(bench.moment())
    process.kill()
    process.communicate()
    _check_complete(bench, out)
    if again and not list(out.glob("**/previous")) + list(out.glob("*.SAFE")):
        raise Fault("the earlier product is lost")
    bench.finish(bench.start(out), 0)
    bench.check(out)
    return "reprocessing" if again else "new product"


def _check_complete(bench: Bench, out: Path) -> None:
    """Check that the product, or else the earlier one in the temporary folder, is complete."""
    for product in [*out.glob("*.SAFE"), *out.glob(".*.part/previous")][:1]:
        if image_digests(product) != bench.references[bench.product]:
            raise Fault("an incomplete product")


def parent_killed(bench: Bench, out: Path, number: int) -> str:
    """SIGKILL of the main process: its workers must not survive."""
    process = bench.start(out, bench.two_tiles, "--GIP_L2A", bench.parallel)
    children: list[psutil.Process] = []
    while process.poll() is None and len(children) < 2:
        children = _children(process)
        time.sleep(0.02)
    with suppress(subprocess.TimeoutExpired):
        process.wait(bench.moment(bench.two_tiles) / 2)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, SOON)
    if alive:
        raise Fault("a worker survives its parent")
    bench.finish(bench.start(out, bench.two_tiles), 0)
    bench.check(out, bench.two_tiles)
    return f"{len(children)} workers"


def worker_killed(bench: Bench, out: Path, number: int) -> str:
    """SIGKILL of a worker: its tile fails and is named, the other succeeds, a rerun completes."""
    process = bench.start(out, bench.two_tiles, "--GIP_L2A", bench.parallel)
    victim = None
    until = time.monotonic() + bench.moment(bench.two_tiles)
    while process.poll() is None and (victim is None or time.monotonic() < until):
        victim = next(iter(_children(process)), victim)
        time.sleep(0.02)
    with suppress(psutil.Error, AttributeError):
        victim.kill()  # type: ignore[union-attr]
    errors = bench.finish(process, 0, 1)
    lines = [line for line in errors.splitlines() if "Error:" in line]
    if process.returncode:
        if len(lines) != 1 or "SIGKILL" not in lines[0] or "tile 33U" not in lines[0]:
            raise Fault(f"the lost tile is not named: {errors[-300:]}")
        bench.finish(bench.start(out, bench.two_tiles), 0)
    bench.check(out, bench.two_tiles)
    return "tile lost" if lines else "too late"


def terminated(bench: Bench, out: Path, number: int) -> str:
    """SIGTERM at any moment: the run ends soon and leaves nothing or a complete product."""
    several = number % 2 == 1
    level1c = bench.two_tiles if several else bench.product
    process = bench.start(out, level1c, *(["--GIP_L2A", bench.parallel] if several else []))
    banner = process.stdout.readline() if process.stdout is not None else ""
    with suppress(subprocess.TimeoutExpired):
        process.wait(bench.moment(level1c))
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    bench.finish(process, 0, 143, *([] if banner else [-signal.SIGTERM]))
    took = time.monotonic() - began
    if took > SOON + bench.seconds[level1c]:
        raise Fault(f"stops only after {took:.1f} s")
    bench.stops.append(took)
    if list(out.glob("*.SAFE")):
        bench.check(out, level1c)
    elif out.exists() and list(out.iterdir()):
        raise Fault(f"left behind: {list(out.iterdir())}")
    return f"exit code {process.returncode}"


def full_disk(bench: Bench, out: Path, number: int, of: int) -> str:
    """Disks of increasing size: a full disk is reported, and nothing is left behind."""
    disk = out / "disk"
    disk.mkdir(parents=True)
    size = 4096 * (1 + round(number * 1000 / of))
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        return "skipped: mounting needs root"
    try:
        process = bench.start(disk / "out", None, "--work_dir", disk / "work")
        errors = bench.finish(process, 0, 6)
        if process.returncode and str(disk) not in errors:
            raise Fault(f"the disk is not named: {errors[-300:]}")
        left = [path for path in disk.glob("out/*")] + [path for path in disk.glob("work/*.part")]
        if process.returncode and left:
            raise Fault(f"left behind: {left}")
        if process.returncode == 0:
            bench.check(disk / "out")
        return f"exit code {process.returncode}"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def truncated(bench: Bench, out: Path, number: int, of: int) -> str:
    """A truncated input file: an image, metadata, an archive."""
    copy = out / "in" / bench.product.name
    shutil.copytree(bench.product, copy)
    fraction = kept_fraction(number, of)
    victim = [
        lambda: next(copy.glob("GRANULE/*/IMG_DATA/*_B02.jp2")),
        lambda: copy / "MTD_MSIL1C.xml",
        lambda: next(copy.glob("GRANULE/*/MTD_TL.xml")),
        lambda: Path(shutil.make_archive(str(out / copy.stem), "zip", copy.parent, copy.name)),
    ][number % 4]()
    os.truncate(victim, int(victim.stat().st_size * fraction))
    level1c = victim if victim.suffix == ".zip" else copy
    errors = bench.finish(bench.start(out / "out", level1c), 3)
    if victim.name not in errors and not level1c.suffix == ".zip":
        raise Fault(f"{victim.name} is not named: {errors[-300:]}")
    if (out / "out").exists() and list((out / "out").iterdir()):
        raise Fault("left behind something")
    return f"{victim.suffix} exit code 3"


def kept_fraction(number: int, of: int) -> float:
    """Return the fraction of a truncated file that is left, from 0 to below 1."""
    return (number // 4) / -(-of // 4)


def read_only(bench: Bench, out: Path, number: int) -> str:
    """A read-only folder (as an ordinary user): target, work folder, or all others."""
    copy = out / "in" / bench.product.name
    shutil.copytree(bench.product, copy)
    home = out / "home"
    closed = out / "closed"
    for folder in (home, closed):
        folder.mkdir()
    for path in [home, closed, *copy.rglob("*"), copy, copy.parent]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    target, code = [(out / "out", 0), (closed, 6), (copy.parent, 6), (out / "out", 6)][number % 4]
    (out / "out").mkdir(mode=0o777)
    (out / "out").chmod(0o777)
    work = ["--work_dir", str(closed)] if number % 4 == 3 else []
    process = subprocess.Popen(
        [sys.executable, "-m", "sen2cor.cli", str(copy), "--resolution", "60",
         "--output_dir", str(target), *work],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        user=65534 if os.geteuid() == 0 else None,
    )  # fmt: skip
    bench.finish(process, code)
    if list(home.iterdir()) or list(closed.iterdir()) or hidden(copy.parent):
        raise Fault("something was written")
    if code == 0:
        bench.check(target)
    return f"exit code {code}"


def lock_left(bench: Bench, out: Path, number: int) -> str:
    """A temporary folder of a run that has ended, or may run on another machine."""
    kind = ("dead", "garbage", "unsigned", "elsewhere", "unsigned, tomorrow")[number % 5]
    bench.finish(bench.start(out), 0)
    product = _product(out)
    part = out / f".{product.name}.part"
    (part / "product-0" / "GRANULE").mkdir(parents=True)
    owner = {"host": "elsewhere" if kind == "elsewhere" else os.uname().nodename, "pid": 1,
             "pid_namespace": str(Path("/proc/self/ns/pid").readlink()),
             "process_start": "dead"}  # fmt: skip
    if "unsigned" not in kind:
        (part / "owner.json").write_text("{" if kind == "garbage" else json.dumps(owner))
    shift = 86400 if "tomorrow" in kind else -86400
    moment = time.time() + (0 if kind in ("dead", "elsewhere") else shift)
    os.utime(part, (moment, moment))
    locked = kind == "elsewhere"
    bench.finish(bench.start(out, None, "--refresh"), 7 if locked else 0)
    if locked:
        shutil.rmtree(part)
    bench.check(out)
    return f"{kind}: {'locked' if locked else 'taken over'}"


_CLOCK = """
import sys, time
real, began, shift = time.time, time.monotonic(), float(sys.argv.pop(1))
time.time = lambda: real() + (shift if time.monotonic() - began > 0.6 else 0.0)
from sen2cor.cli import main
sys.exit(main(sys.argv[1:]))
"""


def clock_set(bench: Bench, out: Path, number: int) -> str:
    """The clock jumps during a run; a concurrent run must respect the lock."""
    shift = (-86400, 86400, -3, 3600)[number % 4]
    command = [sys.executable, "-c", _CLOCK, str(shift), str(bench.product),
               "--resolution", "60", "--output_dir", str(out)]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        bench.finish(process, 0, 7)
    bench.check(out)
    return f"{shift} s"


def side_by_side(bench: Bench, out: Path, number: int, runs: int, one_product: bool) -> str:
    """Several concurrent runs, on one product or each on its own."""
    folders = [out if one_product else out / str(run) for run in range(runs)]
    processes = [bench.start(folder) for folder in folders]
    for process in processes:
        bench.finish(process, *([0, 7] if one_product else [0]))
    codes = Counter(process.returncode for process in processes)
    if not codes[0]:
        raise Fault("no run succeeded")
    for folder in set(folders):
        bench.check(folder)
    return f"{codes[0]} done, {codes[7]} locked"


def campaign(bench: Bench, kills: int) -> Iterator[tuple[str, int, Trial]]:
    """Name, number of trials and function of each kind of trial."""
    some = max(4, kills // 5)
    yield "killed, then again", kills, killed
    yield "main process killed, two workers", some // 2, parent_killed
    yield "worker killed", some // 2, worker_killed
    yield "terminated", some, terminated
    yield "disk full", some, partial(full_disk, of=some)
    yield "input truncated", some, partial(truncated, of=some)
    yield "read-only folders", 4, read_only
    yield "lock left behind", 5, lock_left
    yield "clock set", 4, clock_set
    for runs in (2, 8):
        name = f"{runs} runs at once on"
        yield (
            f"{name} one product",
            max(2, some // 8),
            partial(side_by_side, runs=runs, one_product=True),
        )
        yield f"{name} different ones", 2, partial(side_by_side, runs=runs, one_product=False)


def trials(bench: Bench, name: str, number: int, trial: Trial) -> tuple[int, Counter[str]]:
    """Make trials of a kind; return how many ended as they must, and how all ended."""

    def one(index: int) -> tuple[bool, str]:
        with _folder(bench.folder) as out:
            try:
                return True, trial(bench, out / "out", index)
            except Fault as fault:
                return False, f"FAULT: {fault}"

    with ThreadPoolExecutor(bench.jobs) as pool:
        results = list(pool.map(one, range(number)))
    return sum(good for good, _ in results), Counter(text for _, text in results)


def main(arguments: list[str] | None = None) -> int:
    """Make all trials, print the table; return 0 if all ended as they must."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="the other numbers follow from it")
    parser.add_argument("--jobs", type=int, default=2, help="trials at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the name of a kind of trial")
    chosen = parser.parse_args(arguments)
    faults = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        Path(folder).chmod(0o755)
        bench = Bench.build(Path(folder), chosen.jobs, chosen.seed)
        print(f"{'trial':36s} {'right':>9s} {'seconds':>8s}  how they ended", flush=True)
        for name, number, trial in campaign(bench, chosen.kills):
            if chosen.only not in name:
                continue
            began = time.monotonic()
            good, endings = trials(bench, name, number, trial)
            faults += number - good
            told = ", ".join(f"{text} x{count}" for text, count in sorted(endings.items()))
            seconds = time.monotonic() - began
            print(f"{name:36s} {good:4d}/{number:<4d} {seconds:8.1f}  {told}", flush=True)
    if bench.stops:
        print(
            f"a run takes {max(bench.seconds.values()):.1f} s; SIGTERM to end: "
            f"median {median(bench.stops):.1f} s, longest {max(bench.stops):.1f} s"
        )
    print(f"{faults} trials did not end correctly")
    return 1 if faults else 0


@contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _product(folder: Path) -> Path:
    products = list(folder.glob("*MSIL2A*.SAFE"))
    if len(products) != 1:
        raise Fault(f"{len(products)} products")
    return products[0]


def _await_end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the end of a run; kill it and raise `subprocess.TimeoutExpired` if it hangs."""
    used = 0.0
    while True:
        try:
            return process.communicate(timeout=HANG)
        except subprocess.TimeoutExpired:
            before, used = used, _cpu_seconds(process)
            if used - before < HANG / 1000 or used > MAX_CPU:
                process.kill()
                process.communicate()
                raise


def _cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Return the CPU time of a process and of its children so far."""
    seconds = 0.0
    with suppress(psutil.Error):
        main_process = psutil.Process(process.pid)
        for one in (main_process, *main_process.children(recursive=True)):
            with suppress(psutil.Error):
                seconds += sum(one.cpu_times()[:4])
    return seconds


def _children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
    return found


if __name__ == "__main__":
    sys.exit(main())
