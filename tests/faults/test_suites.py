"""The two fault suites with few trials; `make faults` and `make fuzz` run many."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.faults import campaign, mutations


@pytest.mark.slow
def test_faults_of_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["--kills", "6"]) == 0, capsys.readouterr().out


@pytest.mark.slow
def test_damaged_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutations.main(["--number", "150"]) == 0, capsys.readouterr().out


def test_truncated_files_are_never_whole() -> None:
    for of in range(1, 30):
        fractions = [campaign.kept_fraction(number, of) for number in range(of)]
        assert min(fractions) == 0.0 and max(fractions) < 1.0, of


@pytest.mark.parametrize(
    ("code", "hangs"),
    [
        ("import time; time.sleep(60)", True),
        ("import time\nwhile time.process_time() < 2: pass", False),
        ("while True: pass", True),
    ],
)
def test_a_run_hangs_if_it_uses_no_cpu_time_or_too_much(
    code: str, hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "HANG", 5.0)
    monkeypatch.setattr(campaign, "MAX_CPU", 4.0)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    bench = campaign.Bench(Path(), Path(), Path(), Path(), 1, random.Random(1))
    with pytest.raises(campaign.Fault, match="hangs") if hangs else nullcontext():
        bench.finish(process, 0)


def test_damage_follows_from_its_number() -> None:
    content = bytes(range(200)) * 20
    for damage in (mutations.damaged, mutations.damaged_image):
        first, second = (damage(content, random.Random("x 1")) for _ in range(2))
        assert first == second != content
