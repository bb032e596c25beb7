"""Statistics by blocks, those at the edge included."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.atmosphere.aerosol.reference_blocks import BlockGrid

SHAPE = (7, 10)


def test_blocks_cover_the_grid() -> None:
    blocks = BlockGrid(SHAPE, 4)
    assert blocks.number == (2, 3)
    rows, cols = blocks.centres()
    np.testing.assert_allclose(rows, [1.5, 5.0])
    np.testing.assert_allclose(cols, [1.5, 5.5, 8.5])


@pytest.mark.parametrize("level", [0.0, 0.35, 0.5, 1.0])
def test_statistics_are_those_of_numpy(level: float) -> None:
    random = np.random.default_rng(2)
    values = random.random(SHAPE).astype(np.float32)
    mask = random.random(SHAPE) < 0.6
    mask[:4, 4:8] = False
    blocks = BlockGrid(SHAPE, 4)
    counts, means = blocks.counts(mask), blocks.means(values, mask)
    quantiles = blocks.quantiles(values, mask, level)
    for row in range(2):
        for col in range(3):
            where = (slice(4 * row, 4 * row + 4), slice(4 * col, 4 * col + 4))
            inside = values[where][mask[where]]
            assert counts[row, col] == inside.size
            if inside.size == 0:
                assert np.isnan(means[row, col])
                assert np.isnan(quantiles[row, col])
                continue
            assert means[row, col] == pytest.approx(inside.mean(), rel=1e-5)
            assert quantiles[row, col] == pytest.approx(np.quantile(inside, level), rel=1e-5)
