"""Broken input: each case ends with its exit code and one line, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sen2cor.cli import main
from sen2cor.imagery import images, jpeg2000
from tests.refreshed_manifest import refresh_manifest

ROOT = Path(__file__).resolve().parents[2]

Damage = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A broken product or call."""

    name: str
    damage: Damage
    exit_code: int
    says: str
    arguments: tuple[str, ...] = field(default=())


def band(product: Path, name: str) -> Path:
    return next(product.glob(f"GRANULE/*/IMG_DATA/*_{name}.jp2"))


def truncate(name: str, fraction: float) -> Damage:
    def damage(product: Path) -> None:
        path = band(product, name)
        content = path.read_bytes()
        path.write_bytes(content[: int(fraction * len(content))])

    return damage


def replace_image(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    def damage(product: Path) -> None:
        path = band(product, name)
        info = jpeg2000.read_info(path)
        image = change(jpeg2000.read(path))
        grid = type(info.grid)(
            info.grid.epsg, info.grid.ulx, info.grid.uly, info.grid.pixel_size, *image.shape
        )
        images.write(path, image, grid, 1024)

    return damage


def blacken_all(product: Path) -> None:
    for path in product.glob("GRANULE/*/IMG_DATA/*_B*.jp2"):
        info = jpeg2000.read_info(path)
        images.write(path, np.zeros((info.rows, info.cols), np.uint16), info.grid, 1024)


def edit(pattern: str, change: Callable[[str], str]) -> Damage:
    def damage(product: Path) -> None:
        path = next(product.glob(pattern))
        path.write_text(change(path.read_text()))

    return damage


def cut(expression: str) -> Callable[[str], str]:
    return lambda text: re.sub(expression, "", text, flags=re.DOTALL)


def without_angles(text: str) -> str:
    for element in ("Sun_Angles_Grid", "Mean_Sun_Angle"):
        text = cut(f"<{element}>.*?</{element}>")(text)
    return text


def nothing(product: Path) -> None:
    pass


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
)
PRODUCT, TILE = "MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml"

CASES = [
    Case("empty folder", lambda p: (shutil.rmtree(p), p.mkdir()), 3, "MTD_MSIL1C"),
    Case("no such path", shutil.rmtree, 3, "S2A_MSIL1C"),
    Case("a file", lambda p: (shutil.rmtree(p), p.write_text("x")), 3, "S2A_MSIL1C"),
    Case("no tile", lambda p: shutil.rmtree(p / "GRANULE"), 3, "GRANULE"),
    Case("no tile metadata", lambda p: next(p.glob(TILE)).unlink(), 3, "MTD_TL.xml"),
    Case("missing band", lambda p: band(p, "B11").unlink(), 3, "B11"),
    Case("missing image folder", lambda p: shutil.rmtree(band(p, "B11").parent), 3, "IMG_DATA"),
    Case("truncated image", truncate("B03", 0.6), 3, "_B03.jp2"),
    Case("image cut at its end", truncate("B8A", 0.98), 3, "_B8A.jp2"),
    Case("empty image file", truncate("B12", 0.0), 3, "_B12.jp2"),
    Case("no image in the file", lambda p: band(p, "B05").write_text("x" * 9000), 3, "_B05.jp2"),
    Case("image of another size", replace_image("B07", lambda a: a[:-3]), 3, "B07"),
    Case("one band without data", replace_image("B06", lambda a: a * 0), 1, "B06"),
    Case("black image", blacken_all, 1, "T33UUU"),
    Case("product metadata cut", edit(PRODUCT, lambda t: t[: len(t) // 2]), 3, "MTD_MSIL1C.xml"),
    Case("tile metadata cut", edit(TILE, lambda t: t[: len(t) // 2]), 3, "MTD_TL.xml"),
    Case("no XML", edit(PRODUCT, lambda t: "no XML"), 3, "MTD_MSIL1C.xml"),
    Case("other XML", edit(PRODUCT, lambda t: "<html/>"), 3, "MTD_MSIL1C.xml"),
    Case("XML bomb", edit(TILE, lambda t: BOMB), 3, "MTD_TL.xml"),
    Case("no angles", edit(TILE, without_angles), 3, "Sun_Angles_Grid"),
    Case(
        "no quantification",
        edit(PRODUCT, cut("<QUANTIFICATION_VALUE.*?</QUANTIFICATION_VALUE>")),
        3,
        "QUANTIFICATION_VALUE",
    ),
    Case("no position", edit(TILE, cut("<Geoposition.*</Geoposition>")), 3, "Geoposition"),
    Case(
        "unknown spacecraft",
        edit(PRODUCT, lambda t: t.replace("Sentinel-2A", "Sentinel-2X").replace("S2A", "S2X")),
        3,
        "Sentinel-2X",
    ),
    Case("unknown option", nothing, 2, "--fast", ("--fast",)),
    Case("no such configuration", nothing, 4, "none.xml", ("--GIP_L2A", "none.xml")),
]


@pytest.fixture
def product(small_product: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "in" / small_product.name
    shutil.copytree(small_product, copy)
    yield copy


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_broken_input_gives_one_line_and_leaves_nothing(
    case: Case, product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.damage(product)
    refresh_manifest(product)  # damage with a manifest: test_damaged_products.py
    out = tmp_path / "out"
    code = main([*case.arguments, "--output_dir", str(out), str(product)])
    printed = capsys.readouterr()
    errors = [line for line in printed.err.splitlines() if "Error:" in line]
    assert code == case.exit_code, printed.err
    assert len(errors) == 1, printed.err
    assert case.says in errors[0]
    assert "Traceback" not in printed.out + printed.err
    assert not out.exists() or list(out.iterdir()) == []


def test_invalid_configuration_names_line_element_value_and_range(
    product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    wrong = tmp_path / "wrong.xml"
    wrong.write_text(re.sub("<Visibility>.*?<", "<Visibility>3<", source))
    assert main(["--GIP_L2A", str(wrong), "--output_dir", str(tmp_path / "o"), str(product)]) == 4
    line = capsys.readouterr().err.strip()
    for part in ("wrong.xml", "Visibility", "3", "5", "120"):
        assert part in line
    assert "\n" not in line


def test_output_below_a_file_cannot_be_written(
    product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["--output_dir", str(tmp_path / "file" / "out"), str(product)]) == 6
    assert "file" in capsys.readouterr().err


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user can read; pytest closes its own when another session starts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_output_without_permission(product: Path, public_folder: Path) -> None:
    level1c = shutil.copytree(product, public_folder / product.name)
    out = public_folder / "closed"
    out.mkdir(mode=0o555)
    command = [sys.executable, "-m", "sen2cor.cli", "--output_dir", str(out), str(level1c)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "HOME": str(public_folder)},
        capture_output=True,
        text=True,
        **_as_ordinary_user(),
    )
    assert run.returncode == 6, run.stderr
    assert "closed" in run.stderr and "ermission" in run.stderr
    assert "Traceback" not in run.stderr
    assert list(out.iterdir()) == []


def _as_ordinary_user() -> dict[str, int]:
    """Run the command as nobody if the tests run as root, which may write everywhere."""
    if os.geteuid() != 0:
        return {}
    probe = subprocess.run([sys.executable, "-c", "import sen2cor.cli"], cwd=ROOT, user=65534)
    if probe.returncode:
        pytest.skip("running as root, and an ordinary user cannot read this checkout")
    return {"user": 65534}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; requires permission to mount."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.parametrize("used_kb", [0, 200, 500, 800, 1020])
def test_full_disk_is_said_and_leaves_nothing(
    product: Path, tiny_disk: Path, used_kb: int, capsys: pytest.CaptureFixture[str]
) -> None:
    filler = tiny_disk / "filler"
    filler.write_bytes(bytes(used_kb * 1024))
    code = main(["--output_dir", str(tiny_disk), str(product)])
    printed = capsys.readouterr()
    errors = [line for line in printed.err.splitlines() if "Error:" in line]
    assert code == 6, printed.err
    assert len(errors) == 1 and str(tiny_disk) in errors[0]
    assert "Traceback" not in printed.err
    assert [path.name for path in tiny_disk.iterdir()] == ["filler"]
