"""Denser nodes of look-up tables."""

from __future__ import annotations

import numpy as np

from sen2cor.atmosphere.look_up_tables.interpolation import halve_intervals, refine_by_splines

NODES = np.array([0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.35, 2.0], np.float32)


def test_halved_axis_keeps_its_nodes() -> None:
    denser = halve_intervals(NODES)
    np.testing.assert_array_equal(denser[::2], NODES)
    assert denser.size == 2 * NODES.size - 1
    assert np.all(np.diff(denser) > 0)
    assert denser.dtype == np.float32


def test_splines_pass_through_the_nodes_and_follow_a_curve_between_them() -> None:
    table = np.stack([1.0 - np.exp(-NODES), NODES]).astype(np.float32)
    denser = halve_intervals(NODES)
    result = refine_by_splines(table, 1, NODES, denser)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[:, ::2], table)
    np.testing.assert_allclose(result[0], 1.0 - np.exp(-denser), atol=6e-4)
    np.testing.assert_allclose(result[1], denser, atol=1e-6)
