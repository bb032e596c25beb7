"""Randomly damaged input: it must be refused with one line or processed.

``python -m tests.faults.mutations --number 2000`` prints a table; its exit code is 0 if there are
no findings. A finding is an exception other than those of the package, a dead process, half a
minute of silence, a file outside the given folder, or a wrong pixel with exit code 0 although the
checksums of the manifest were compared. How many flips and holes in codestreams the codec finds
without checksums is information. The damage depends only on kind and number,
so that ``--kind K --first N --number 1`` repeats one trial.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sen2cor.cli import main as command
from sen2cor.errors import Sen2CorError
from sen2cor.imagery import jpeg2000
from sen2cor.product.archive import unpack
from sen2cor.product.level1c.product_files import read_image_grids
from sen2cor.product.level1c.tile_metadata import open_tile_document, read_tile_metadata
from sen2cor.settings import load_settings
from tests.command import ROOT, configuration, image_digests
from tests.dem.elevation_files import waves, write_dted
from tests.small_product import write_small_product

SILENCE = 30.0
MEMORY = 6 << 30
"""Limit of the address space of a process that reads damaged input."""

EXTENT = 720
BATCH = 200

_NUMBERS = (
    b"-1", b"0", b"1", b"NaN", b"inf", b"-1e308", b"1e-308", b"65536", b"2147483648",
    b"99999999999999999999", b"", b" ", b"0x10", b"1,5", b"\xc3\xa9",
)  # fmt: skip
_HEADS = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (i + 1, b"&%c;" % i * 10) for i in range(97, 106))
    + b"]>",
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    b'<?xml-stylesheet href="file:///etc/passwd"?>',
    b"<!-- \xff -->",
)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Damage bytes in one to three places."""
    for _ in range(chance.randint(1, 3)):
        content = damaged_once(content or b"x", chance)
    return content


def damaged_once(content: bytes, chance: random.Random) -> bytes:
    """Damage bytes in one place: replace, flip a bit, delete, duplicate or truncate."""
    place = chance.randrange(len(content))
    length = chance.choice((1, 1, 4, 40, 1000))
    part = content[place : place + length]
    new = (
        chance.randbytes(len(part)),
        bytes([part[0] ^ (1 << chance.randrange(8))]) + part[1:],
        b"",
        part * 2,
        bytes(len(part)),
        b"\xff" * len(part),
        None,
    )[chance.randrange(7)]
    return content[:place] if new is None else content[:place] + new + content[place + length :]


def damaged_text(content: bytes, chance: random.Random) -> bytes:
    """Damage XML as text (values, elements, prolog) or as bytes."""
    way = chance.randrange(8)
    if way < 3:
        values = list(re.finditer(rb">([^<>]+)<", content))
        value = chance.choice(values)
        new = chance.choice((*_NUMBERS, b"x" * 100_000, chance.randbytes(8), b"&amp;" * 9))
        return content[: value.start(1)] + new + content[value.end(1) :]
    if way == 3:
        values = list(re.finditer(rb'="([^"]*)"', content))
        value = chance.choice(values)
        return content[: value.start(1)] + chance.choice(_NUMBERS) + content[value.end(1) :]
    if way < 6:
        opening = chance.choice(list(re.finditer(rb"<([\w:.-]+)[^>]*(?<!/)>", content)))
        closing = content.find(b"</" + opening[1] + b">", opening.end())
        end = closing + len(opening[1]) + 3 if closing > 0 else opening.end()
        element = content[opening.start() : end]
        repeated = element * chance.choice((0, 0, 2, 50))
        return content[: opening.start()] + repeated + content[end:]
    if way == 6:
        head = content.find(b"?>") + 2
        inner = b"<a>" * 20_000 if chance.random() < 0.2 else chance.choice(_HEADS)
        return content[:head] + inner + content[head:]
    return damaged(content, chance)


def damaged_image(content: bytes, chance: random.Random) -> bytes:
    """Damage an image, mostly its headers."""
    if chance.random() < 0.3:
        return damaged(content, chance)
    head = min(len(content), 500)
    return damaged(content[:head], chance) + content[head:]


def damaged_codestream(content: bytes, chance: random.Random) -> bytes:
    """Damage an image as disks and downloads do, anywhere: a flipped bit, or zeros."""
    place = chance.randrange(len(content))
    way = chance.randrange(3)
    if way == 0:
        flipped = bytes([content[place] ^ (1 << chance.randrange(8))])
        return content[:place] + flipped + content[place + 1 :]
    length = chance.choice((512, 4096, 65536)) if way == 1 else len(content)
    zeros = bytes(min(length, len(content) - place))
    return content[:place] + zeros + content[place + len(zeros) :]


@dataclass(frozen=True)
class Bench:
    """Intact products, and a folder for the damaged copies."""

    folder: Path
    scratch: Path

    @classmethod
    def build(cls, folder: Path) -> Bench:
        """Make the products."""
        level1c = write_small_product(folder / "14.2", extent=EXTENT)
        write_small_product(folder / "15", psd="15", extent=EXTENT)
        shutil.make_archive(str(folder / "whole"), "zip", level1c.parent, level1c.name)
        write_dted(folder / "elevation" / "e011_n53.dt0", 11, 53, waves)
        write_dted(folder / "elevation" / "e012_n53.dt0", 12, 53, waves)
        (folder / "level2a").mkdir()
        _command("--resolution", 60, "--output_dir", folder / "level2a", level1c)
        return cls(folder, folder)

    def product(self, name: str) -> Path:
        """Return the product in a folder of the bench."""
        (found,) = (self.folder / name).glob("*.SAFE")
        return found

    def copy(self, name: str) -> Path:
        """Copy a folder or file of the bench, to be damaged."""
        source = self.folder / name
        return Path(shutil.copytree(source, self.scratch / "in" / source.name))


Trial = Callable[[Bench, random.Random], None]


def damage(folder: Path, pattern: str, chance: random.Random) -> None:
    """Damage one file of a folder."""
    path = chance.choice(sorted(path for path in folder.glob(pattern) if path.is_file()))
    ways = {
        ".xml": damaged_text,
        ".gml": damaged_text,
        ".safe": damaged_text,
        ".jp2": damaged_image,
    }
    way = ways.get(path.suffix, damaged)
    path.write_bytes(way(path.read_bytes(), chance))


def run(
    bench: Bench,
    level1c: Path,
    *options: object,
    out: Path | None = None,
    checksums: bool = False,
) -> None:
    """Run the command on damaged input: an error is one line, and nothing is left behind.

    With checksums, the images of 60 m must be those of intact input.
    """
    if not checksums:
        options = ("--no-checksums", *options)
    out = out or bench.scratch / "out"
    before = set(out.glob("*"))
    code, said = _command("--output_dir", out, *options, level1c)
    if code not in range(8) or "Traceback" in said or "unexpected" in said:
        raise AssertionError(f"exit code {code}: {said[-2000:]}")
    if code and len([line for line in said.splitlines() if "Error:" in line]) != 1:
        raise AssertionError(f"not one line: {said[-2000:]}")
    changed = before ^ set(out.glob("*"))
    left = [path for path in changed if code or path.name.startswith(".")]
    others = {path.name for path in bench.scratch.iterdir()} - {"in", "out"}
    if left or others:
        raise AssertionError(f"left or lost: {left} {others}")
    if code:
        raise _Refused(code)
    if checksums:
        (intact,) = (bench.folder / "level2a").glob("*.SAFE")
        (made,) = out.glob("*.SAFE")
        if _images_60m(made) != _images_60m(intact):
            raise AssertionError("wrong pixels with exit code 0")


def _images_60m(product: Path) -> dict[str, str]:
    return {path: digest for path, digest in image_digests(product).items() if "R60m" in path}


def _command(*arguments: object) -> tuple[int, str]:
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = command([str(argument) for argument in arguments])
    return code, errors.getvalue()


def damaged_product(
    bench: Bench,
    chance: random.Random,
    pattern: str,
    psd: str = "14.2",
    *,
    checksums: bool = False,
) -> None:
    """Run the command on a product with one damaged file."""
    (level1c,) = bench.copy(psd).glob("*.SAFE")
    damage(level1c, pattern, chance)
    run(bench, level1c, "--resolution", 60, checksums=checksums)


def damaged_download(bench: Bench, chance: random.Random) -> None:
    """Run the command, which compares checksums, on a product with flipped bits or holes."""
    (level1c,) = bench.copy("14.2").glob("*.SAFE")
    pattern = chance.choice(("GRANULE/*/IMG_DATA/*_B*.jp2",) * 3 + ("**/*",))
    path = chance.choice(sorted(path for path in level1c.glob(pattern) if path.is_file()))
    path.write_bytes(damaged_codestream(path.read_bytes() or b"x", chance))
    code, said = _command("--check", level1c)
    if code not in (0, 3) or len(said.splitlines()) != bool(code):
        raise AssertionError(f"--check: exit code {code}: {said[-2000:]}")
    run(bench, level1c, "--resolution", 60, checksums=True)


def codec_alone(bench: Bench, chance: random.Random) -> None:
    """Decode an image with flipped bits or holes; that the codec finds them is not required."""
    source = chance.choice(sorted(bench.product("14.2").glob("GRANULE/*/IMG_DATA/*_B*.jp2")))
    path = bench.scratch / source.name
    path.write_bytes(damaged_codestream(source.read_bytes(), chance))
    same = (jpeg2000.read(path) == jpeg2000.read(source)).all()
    raise _Information("same pixels" if same else "wrong pixels, which checksums find")


def elevation(bench: Bench, chance: random.Random) -> None:
    """Run the command with a damaged elevation model."""
    copy = bench.copy("elevation")
    damage(copy, "*", chance)
    configured = configuration(copy.parent, DEM_Directory=copy)
    run(bench, bench.product("14.2"), "--resolution", 60, "--GIP_L2A", configured)


def earlier_result(bench: Bench, chance: random.Random) -> None:
    """Add a resolution to a damaged Level-2A product."""
    (earlier,) = bench.copy("level2a").glob("*.SAFE")
    damage(earlier, "**/*", chance)
    checksums = chance.random() < 0.5
    level1c = bench.product("14.2")
    run(bench, level1c, "--resolution", 20, out=earlier.parent, checksums=checksums)


class _Information(Exception):  # noqa: N818
    """An outcome that is counted."""


class _Refused(Sen2CorError):  # noqa: N818
    def __init__(self, code: int) -> None:
        super().__init__()
        self.exit_code = code


def configuration_files(bench: Bench, chance: random.Random) -> None:
    """Read a damaged configuration file."""
    name = chance.choice(("L2A_GIPP", "L2A_CAL_SC_GIPP", "L2A_CAL_AC_GIPP"))
    path = bench.scratch / f"{name}.xml"
    path.write_bytes(damaged_text((ROOT / "cfg" / path.name).read_bytes(), chance))
    given = [path if name == each else None for each in
             ("L2A_GIPP", "L2A_CAL_SC_GIPP", "L2A_CAL_AC_GIPP")]  # fmt: skip
    load_settings(*given, environ={})


def image(bench: Bench, chance: random.Random) -> None:
    """Describe a damaged image as a run does, and decode it."""
    level1c = bench.product("14.2")
    images = {path.stem[-3:]: path for path in sorted(level1c.glob("GRANULE/*/IMG_DATA/*_B*.jp2"))}
    source = images[chance.choice(list(images))]
    path = bench.scratch / source.name
    path.write_bytes(damaged_image(source.read_bytes(), chance))
    tile = read_tile_metadata(open_tile_document(next(level1c.glob("GRANULE/*/MTD_TL.xml"))))
    read_image_grids({**images, path.stem[-3:]: path}, tile.grids)
    jpeg2000.read(path)


def archive(bench: Bench, chance: random.Random) -> None:
    """Unpack a damaged archive."""
    path = bench.scratch / "product.zip"
    whole = (bench.folder / "whole.zip").read_bytes()
    path.write_bytes(damaged_image(whole[::-1], chance)[::-1])
    place = bench.scratch / "place"
    with contextlib.suppress(Sen2CorError), unpack(path, place) as folder:
        if not folder.is_relative_to(place):
            raise AssertionError(f"outside: {folder}")
    if {p.name for p in bench.scratch.iterdir()} - {"product.zip", "place"} or list(
        place.glob("*")
    ):
        raise AssertionError("left something, or wrote beside the folder")


KINDS: dict[str, tuple[Trial, float]] = {
    "product metadata": (partial(damaged_product, pattern="MTD_MSIL1C.xml"), 0.08),
    "tile metadata": (partial(damaged_product, pattern="GRANULE/*/MTD_TL.xml"), 0.08),
    "other metadata": (partial(damaged_product, pattern="[!M]*/**/*.xml"), 0.03),
    "manifest": (partial(damaged_product, pattern="manifest.safe", checksums=True), 0.03),
    "masks": (partial(damaged_product, pattern="GRANULE/*/QI_DATA/*.gml"), 0.04),
    "images, whole run": (partial(damaged_product, pattern="GRANULE/*/IMG_DATA/*_B*.jp2"), 0.05),
    "metadata of format 15": (partial(damaged_product, pattern="**/MTD_*.xml", psd="15"), 0.05),
    "masks of format 15": (partial(damaged_product, pattern="**/MSK_*.jp2", psd="15"), 0.03),
    "elevation models": (elevation, 0.02),
    "earlier results": (earlier_result, 0.02),
    "damaged downloads": (damaged_download, 0.06),
    "codec without checksums": (codec_alone, 0.1),
    "configuration": (configuration_files, 0.14),
    "images": (image, 0.2),
    "archives": (archive, 0.07),
}
"""Kinds of input, and their fraction of the trials."""


def serve(kind: str, first: int, number: int, folder: Path, scratch: Path) -> None:
    """Try inputs one by one in a separate process, with a line before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    trial, _ = KINDS[kind]
    for index in range(first, first + number):
        print(f"begin {index}", flush=True)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            trial(Bench(folder, scratch), random.Random(f"{kind} {index}"))
            outcome = "accepted"
        except Sen2CorError as error:
            outcome = f"exit code {error.exit_code}"
        except _Information as information:
            outcome = str(information)
        except BaseException as error:
            lines = traceback.format_exc().splitlines()
            outcome = f"FINDING {error!r} at {lines[-3].strip() if len(lines) > 2 else ''}"
        print(f"end {' '.join(outcome.split())[:1500]}", flush=True)


@dataclass
class Results:
    """Outcomes of a kind, and the numbers of the inputs of each finding."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[int]] = field(default_factory=dict)

    def add(self, index: int, outcome: str) -> None:
        """Count an outcome."""
        if outcome.startswith("FINDING"):
            self.findings.setdefault(outcome, []).append(index)
            outcome = "FINDING"
        self.outcomes[outcome] += 1

    def __add__(self, other: Results) -> Results:
        findings = dict(self.findings)
        for finding, where in other.findings.items():
            findings[finding] = findings.get(finding, []) + where
        return Results(self.outcomes + other.outcomes, findings)


def try_all(kind: str, first: int, number: int, folder: Path, jobs: int) -> Results:
    """Try inputs of a kind, several at once; their numbers do not depend on concurrency."""
    bounds = [first + number * job // jobs for job in range(jobs + 1)]

    def part(job: int) -> Results:
        scratch = folder / f"scratch_{job}"
        return try_some(kind, bounds[job], bounds[job + 1], folder, scratch)

    with ThreadPoolExecutor(jobs) as pool:
        return sum(pool.map(part, range(jobs)), Results())


def try_some(kind: str, first: int, stop: int, folder: Path, scratch: Path) -> Results:
    """Try inputs one by one in processes that may die or hang."""
    results = Results()
    index = first
    while index < stop:
        batch = min(BATCH, stop - index)
        arguments = [kind, str(index), str(batch), str(folder), str(scratch)]
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.mutations", "--serve", *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        index, finding = _follow(child, index, results)
        if finding:
            results.add(index, f"FINDING {finding}")
            index += 1
    return results


def _follow(child: subprocess.Popen[str], index: int, results: Results) -> tuple[int, str]:
    """Count outcomes; return the number of the next input, and the state of the process."""
    assert child.stdout is not None and child.stderr is not None
    began = False
    while True:
        if not select.select([child.stdout], [], [], SILENCE)[0]:
            child.kill()
            child.communicate()
            return index, f"silent for {SILENCE:g} s"
        line = child.stdout.readline()
        if not line:
            code = child.wait()
            said = child.stderr.read()[-500:]
            child.stdout.close()
            child.stderr.close()
            return index, f"process ended with {code}: {said}" if code or began else ""
        word, _, text = line.strip().partition(" ")
        began = word == "begin"
        if word == "end":
            results.add(index, text)
            index += 1


def main(arguments: list[str] | None = None) -> int:
    """Try all kinds and print the table; return 0 if there are no findings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=2000, help="inputs, over all kinds")
    parser.add_argument("--kind", choices=list(KINDS), help="only this kind")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="inputs at once")
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.serve:
        kind, first, number, folder, scratch = chosen.serve
        serve(kind, int(first), int(number), Path(folder), Path(scratch))
        return 0
    found = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        Bench.build(Path(name))
        print(f"{'kind':24s} {'inputs':>7s}  outcomes", flush=True)
        for kind, (_, fraction) in KINDS.items():
            if chosen.kind not in (None, kind):
                continue
            number = chosen.number if chosen.kind else max(1, round(chosen.number * fraction))
            results = try_all(kind, chosen.first, number, Path(name), chosen.jobs)
            told = ", ".join(f"{text} x{n}" for text, n in sorted(results.outcomes.items()))
            print(f"{kind:24s} {number:7d}  {told}", flush=True)
            for finding, where in results.findings.items():
                print(f"    numbers {', '.join(map(str, where[:5]))}: {finding}", flush=True)
            found += results.outcomes["FINDING"]
    print(f"{found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
