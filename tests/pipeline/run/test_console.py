"""Progress lines: the form that callers parse, a value that never falls."""

from __future__ import annotations

import io
import re
from pathlib import Path

from sen2cor.pipeline.execution.progress import TileProgress
from sen2cor.pipeline.run.console import Console, ProductOutcome


def test_progress_lines_have_the_form_that_callers_parse() -> None:
    stream = io.StringIO()
    console = Console(stream, io.StringIO())
    for number in range(2):
        progress = console.start_product(number, 2)
        progress.plan(10.0)
        for weight in (1.0, 4.0, 5.0, 3.0):
            TileProgress(progress.show).step("L2A_AtmCorr", "end of AOT retrieval", weight)
    lines = stream.getvalue().splitlines()
    expression = re.compile(
        r"Progress\[%\]: (\d{1,3}\.\d\d) : PID-\d+, L2A_AtmCorr: end of AOT retrieval, "
        r"elapsed time\[s\]: \d+\.\d{3}, total: \d:\d\d:\d\d(\.\d+)?$"
    )
    values = [float(found[1]) for line in lines if (found := expression.match(line))]
    assert len(values) == 8
    assert values == sorted(values)
    assert values[0] == 5.0 and values[-1] == 99.99
    assert all(re.match(r"Progress\[%\]: (\d{1,3})\.(?:.+)", line) for line in lines)


def test_the_end_names_the_product_and_what_failed() -> None:
    output, errors = io.StringIO(), io.StringIO()
    outcome = ProductOutcome(
        Path("/data/S2A_MSIL2A_X.SAFE"), False, ("ProcessingError: tile 33UUU",), 1
    )
    Console(output, errors).print_outcome(outcome)
    assert output.getvalue() == "L2A product: /data/S2A_MSIL2A_X.SAFE\n"
    assert "tile 33UUU" in errors.getvalue()


def test_nothing_to_do_is_said() -> None:
    output = io.StringIO()
    Console(output, io.StringIO()).print_outcome(ProductOutcome(Path("/x"), True, (), 0))
    assert output.getvalue() == "Product already processed.\nL2A product: /x\n"
