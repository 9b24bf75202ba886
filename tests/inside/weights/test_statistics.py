from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.inside.weights.pooling import block_edges, block_names, pool
from pellucid.inside.weights.rows import dead_rows, duplicate_rows, row_norms
from pellucid.inside.weights.spectrum import MOST_SIDE, decompose
from pellucid.inside.weights.statistics import EDGES, LEVELS, as_array, describe


def test_figures_agree_with_numpy():
    values = np.random.default_rng(0).normal(0.3, 2, (40, 50)).astype(np.float32)
    values[:4] = 0
    found = describe(values, near_zero=0.1)
    exact = values.astype(np.float64)
    assert found["mean"] == pytest.approx(exact.mean())
    assert found["std"] == pytest.approx(exact.std())
    assert found["l2"] == pytest.approx(np.linalg.norm(exact))
    assert found["mean_abs"] == pytest.approx(np.abs(exact).mean())
    assert found["max_abs"] == np.abs(exact).max()
    assert found["zero_share"] == 0.1
    rms = np.sqrt((exact**2).mean())
    assert found["near_zero_share"] == (np.abs(exact) <= 0.1 * rms).mean()
    np.testing.assert_allclose(found["quantiles"], np.quantile(exact, LEVELS))
    inner = np.histogram(exact / rms, EDGES)[0]
    np.testing.assert_array_equal(found["counts"][1:-1], inner[1:-1])
    assert found["counts"].sum() == values.size


def test_what_is_not_finite_is_counted_and_left_out():
    found = describe(np.array([1.0, np.nan, -3.0, np.inf, -np.inf]), near_zero=0.01)
    assert (found["num_nan"], found["num_infinite"], found["num_entries"]) == (1, 2, 5)
    assert found["mean"] == -1
    assert found["max_abs"] == 3
    nothing = describe(np.array([np.nan]), near_zero=0.01)
    assert np.isnan(nothing["rms"])
    assert nothing["counts"].sum() == 0


def test_all_zero_is_all_near_zero():
    found = describe(np.zeros(9), near_zero=0.01)
    assert found["zero_share"] == found["near_zero_share"] == 1
    assert found["counts"].sum() == 9


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_any_floating_type_is_read(dtype):
    tensor = torch.tensor([[0.5, -2.0]], dtype=dtype)
    assert describe(as_array(tensor), 0.01)["max_abs"] == 2
    assert decompose(tensor).spectral_norm == pytest.approx(4.25**0.5)


@pytest.mark.parametrize("shape", [(7, 20), (20, 7), (200, 300), (300, 150)])
def test_ranks_agree_with_numpy(shape):
    rng = np.random.default_rng(1)
    low = (rng.normal(size=(shape[0], 5)) @ rng.normal(size=(5, shape[1]))).astype(np.float32)
    found = decompose(torch.from_numpy(low))
    singular = np.linalg.svd(low.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(found.singular_values[:5], singular[:5], rtol=1e-6)
    assert found.rank == np.linalg.matrix_rank(low) == 5
    assert found.spectral_norm == pytest.approx(np.linalg.norm(low.astype(np.float64), 2))
    assert found.stable_rank == pytest.approx((singular**2).sum() / singular[0] ** 2)


def test_effective_rank_of_equal_directions_is_their_number():
    found = decompose(torch.eye(6)[:4] * 3)
    assert found.effective_rank == pytest.approx(4)
    assert found.stable_rank == pytest.approx(4)
    zero = decompose(torch.zeros(3, 4))
    assert (zero.rank, zero.stable_rank, zero.effective_rank) == (0, 0, 0)


@pytest.mark.slow
def test_of_a_very_large_matrix_the_largest_singular_value_is_found():
    side = MOST_SIDE + 2
    diagonal = torch.linspace(0.1, 1, side)
    diagonal[7] = 2
    found = decompose(torch.diag(diagonal))
    assert found.spectral_norm == pytest.approx(2, rel=1e-4)
    assert found.stable_rank == pytest.approx(float((diagonal**2).sum()) / 4, rel=1e-3)
    assert np.isnan(found.rank)


def test_dead_rows_are_those_far_below_the_median():
    matrix = np.array([[1.0, 0], [0, 2], [0, 0], [0.005, 0], [1, 1]])
    assert dead_rows(row_norms(matrix), 0.01).tolist() == [2, 3]
    assert dead_rows(np.zeros(3), 0.01).tolist() == [0, 1, 2]


def test_duplicates_are_found_in_either_direction():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(6, 9))
    matrix[4], matrix[5] = -3 * matrix[1], 0
    found = duplicate_rows(matrix, row_norms(matrix))
    assert (found.num_pairs, found.num_compared) == (1, 5)
    assert (found.first.tolist(), found.second.tolist()) == ([1], [4])
    assert found.cosine[0] == pytest.approx(-1)


def test_rows_of_other_groups_are_no_duplicates():
    """Filters of different groups read different channels."""
    matrix = np.tile(np.arange(1.0, 10), (4, 1))
    norms = row_norms(matrix)
    assert duplicate_rows(matrix, norms).num_pairs == 6
    assert duplicate_rows(matrix, norms, groups=2).num_pairs == 2
    assert duplicate_rows(matrix, norms, groups=4).num_pairs == 0


def test_short_rows_point_the_same_way_by_chance_and_do_not_count():
    assert duplicate_rows(np.ones((4, 2)), np.full(4, 2**0.5)).num_pairs == 0


def test_pairs_in_later_blocks_of_rows_are_found():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(1500, 12)).astype(np.float32)
    matrix[1400] = matrix[1200]
    matrix[1300] = matrix[3]
    found = duplicate_rows(matrix, row_norms(matrix), least=0.9999)
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == {
        (1200, 1400),
        (3, 1300),
    }


def test_a_pooled_cell_shows_its_strongest_entry():
    matrix = np.zeros((4, 6))
    matrix[1, 1], matrix[0, 0], matrix[3, 5] = -5, 2, 1
    np.testing.assert_array_equal(pool(matrix, most=2), [[-5, 0], [0, 1]])
    np.testing.assert_array_equal(pool(matrix, most=9), matrix)


def test_blocks_cover_a_side_once():
    edges = block_edges(1000, 192)
    assert edges[0] == 0
    assert edges[-1] == 1000
    assert set(np.diff(edges)) == {5, 6}
    assert block_names("output", 5, 2) == ("output 0–1", "output 2–4")
    assert block_names("output", 2) == ("output 0", "output 1")
