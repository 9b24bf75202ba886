"""Streamed figures against NumPy on all values at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pellucid.inside.activations.histogram import StreamingHistogram
from pellucid.inside.activations.layout import Layer, Response
from pellucid.inside.activations.redundancy import Covariance, clustered, find_redundancy
from pellucid.inside.activations.selectivity import ClassMeans
from pellucid.inside.activations.statistics import LayerStatistics
from pellucid.inside.activations.strongest import Strongest


def layer(units: int, activation: str = "") -> Layer:
    return Layer(
        name="layer", kind="Made", activation=activation, form="grid", unit_axis=1, units=units
    )


def batches(values: Tensor, size: int) -> list[Response]:
    return [Response(values=part, height=2, width=3) for part in values.split(size)]


@pytest.fixture
def values() -> Tensor:
    """Nineteen samples, five units, six cells: far from zero, and one unit always zero."""
    made = torch.randn(19, 5, 6, generator=torch.Generator().manual_seed(3)) * 2 + 40
    made[:, 1] = 0
    made[:, 2] = made[:, 2].sub(40).relu()
    return made


@pytest.mark.parametrize("size", [1, 4, 19])
def test_units_as_numpy_has_them(values: Tensor, size: int) -> None:
    found = LayerStatistics(layer(5))
    for batch in batches(values, size):
        found.update(batch)
    flat = values.double().permute(1, 0, 2).reshape(5, -1).numpy()
    units = found.units()
    np.testing.assert_allclose(units["unit_mean"], flat.mean(1), rtol=1e-6)
    np.testing.assert_allclose(units["unit_std"], flat.std(1), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(units["unit_max"], flat.max(1))
    np.testing.assert_allclose(units["unit_min"], flat.min(1))
    np.testing.assert_allclose(units["unit_active"], (flat > 0).mean(1))
    assert units["unit_dead"].tolist() == [False, True, False, False, False]
    whole = found.whole()
    assert whole["mean"] == pytest.approx(flat.mean(), rel=1e-6)
    assert whole["variance"] == pytest.approx(flat.var(), rel=1e-6)
    assert whole["share_zero"] == pytest.approx((flat == 0).mean())
    limit = whole["near_zero_limit"]
    assert math.log2(limit).is_integer()
    assert 0.5 < limit / (0.01 * math.sqrt((flat**2).mean())) <= 1
    assert whole["share_near_zero"] == pytest.approx((np.abs(flat) < limit).mean())


def test_padding_does_not_count() -> None:
    values = torch.tensor([[[1.0, 2.0, 99.0]], [[3.0, -99.0, -99.0]]])
    used = torch.tensor([[True, True, False], [True, False, False]])
    response = Response(values=values, used=used)
    found = LayerStatistics(layer(1))
    found.update(response)
    assert found.units()["unit_mean"].tolist() == [2.0]
    assert response.pooled.tolist() == [[1.5], [3.0]]
    assert response.peaks()[0].tolist() == [[2.0], [3.0]]
    assert response.peaks()[1].tolist() == [[1], [0]]


def test_places_count_from_the_first_token_that_is_used() -> None:
    response = Response(
        values=torch.tensor([[[9.0, 1.0, 5.0]]]), used=torch.tensor([[False, True, True]])
    )
    assert response.peaks()[1].tolist() == [[1]]


def test_saturation_counts_both_ends() -> None:
    found = LayerStatistics(layer(1, "ReLU6"))
    found.update(Response(values=torch.tensor([[[0.0, 0.0, 3.0, 6.0, 5.95]]])))
    assert found.whole()["share_low_end"] == pytest.approx(0.4)
    assert found.whole()["share_high_end"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("activation", "low", "dead"), [("GELU", -0.1, True), ("", -0.1, False), ("", -0.9, False)]
)
def test_what_stays_below_zero_is_dead_only_after_a_rectifier(
    activation: str, low: float, dead: bool
) -> None:
    found = LayerStatistics(layer(2, activation))
    values = torch.stack([torch.linspace(low, -0.01, 8), torch.linspace(-0.1, 1, 8)])[None]
    found.update(Response(values=values))
    assert found.units()["unit_dead"].tolist() == [dead, False]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=40),
    st.integers(1, 7),
)
def test_a_histogram_loses_nothing_whatever_the_order(stream: list[float], size: int) -> None:
    values = torch.tensor(stream)
    straight, reverse = StreamingHistogram(), StreamingHistogram()
    for part in values.split(size):
        straight.update(part)
    reverse.update(values.flip(0))
    assert torch.equal(straight.counts, reverse.counts)
    edges, counts = straight.shown(float(values.min()), float(values.max()))
    assert counts.sum() == len(stream)
    assert edges[0] <= values.min()
    assert edges[-1] >= values.max()
    assert len(edges) == len(counts) + 1


def test_a_histogram_counts_as_numpy_does() -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(0)) * 3
    found = StreamingHistogram()
    for part in values.split(37):
        found.update(part)
    edges, counts = found.shown(float(values.min()), float(values.max()))
    assert counts.tolist() == np.histogram(values.numpy(), edges)[0].tolist()


@pytest.mark.parametrize("size", [1, 3, 19])
def test_the_strongest_samples_are_those_of_brute_force(size: int) -> None:
    values = torch.randn(19, 4, 6, generator=torch.Generator().manual_seed(1))
    found = Strongest(layer(4), 5)
    for start, batch in zip(range(0, 19, size), batches(values, size), strict=True):
        found.update(batch, 100 + torch.arange(start, min(start + size, 19)))
    arrays = found.arrays()
    peak, cell = values.max(-1)
    order = peak.sort(dim=0, descending=True, stable=True).indices[:5]
    np.testing.assert_array_equal(arrays["top_sample"], 100 + order.T.numpy())
    np.testing.assert_allclose(arrays["top_value"], peak.gather(0, order).T)
    places = cell.gather(0, order).T.numpy()
    np.testing.assert_array_equal(arrays["top_place"], places)
    np.testing.assert_allclose(arrays["top_y"], (places // 3 + 0.5) / 2)
    np.testing.assert_allclose(arrays["top_x"], (places % 3 + 0.5) / 3)


def test_extra_tokens_have_no_place_in_the_picture() -> None:
    values = torch.tensor([[[50.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0]]])
    found = Strongest(layer(1), 1)
    found.update(Response(values=values, extra=1, height=2, width=3), torch.tensor([0]))
    assert found.arrays()["top_value"].tolist() == [[5.0]]
    assert found.arrays()["top_place"].tolist() == [[4]]


def test_fewer_samples_than_places_leave_the_rest_empty() -> None:
    found = Strongest(layer(1), 3)
    found.update(Response(values=torch.tensor([[[2.0]]])), torch.tensor([7]))
    assert found.arrays()["top_sample"].tolist() == [[7, -1, -1]]
    assert np.isneginf(found.arrays()["top_value"][0, 1:]).all()


def test_selectivity_worked_by_hand() -> None:
    pooled = torch.tensor([[4.0, 1.0], [6.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
    found = ClassMeans(layer(2), 4)
    for rows in (slice(0, 3), slice(3, 6)):
        found.update(pooled[rows], pooled[rows], torch.tensor([0, 0, 1, 1, 2, 2])[rows])
    arrays = found.arrays()
    # Means 5, 1, 1 of three classes; the fourth has no samples.
    assert arrays["selectivity"].tolist() == pytest.approx([(5 - 1) / (5 + 1), 0.0])
    assert arrays["selective_class"][0] == 0
    # Variance 1 inside, 0.5 outside.
    assert arrays["d_prime"][0] == pytest.approx(4 / math.sqrt(0.75))
    assert np.isnan(arrays["d_prime"][1])
    np.testing.assert_allclose(found.means()[:3, 0], [5, 1, 1])
    assert np.isnan(found.means()[3]).all()


def test_without_labels_there_is_no_selectivity() -> None:
    found = ClassMeans(layer(2), 3)
    found.update(torch.ones(2, 2), torch.ones(2, 2), torch.tensor([-1, -1]))
    assert np.isnan(found.arrays()["selectivity"]).all()
    assert found.arrays()["selective_class"].tolist() == [-1, -1]


@pytest.fixture
def made() -> Tensor:
    """Units 0, 1, 2 are free, 3 = 0, 4 = −1, 5 = 0 + 2, 6 never moves."""
    free = torch.randn(400, 3, generator=torch.Generator().manual_seed(2)).double()
    noise = 1e-3 * torch.randn(400, 1, generator=torch.Generator().manual_seed(3)).double()
    columns = [free, free[:, :1] + noise, -free[:, 1:2], free[:, :1] + free[:, 2:], free[:, :1] * 0]
    return torch.cat(columns, 1)


@pytest.mark.parametrize("size", [7, 400])
def test_redundancy_as_numpy_has_it(made: Tensor, size: int) -> None:
    covariance = Covariance(layer(7), seed=0)
    for part in made.split(size):
        covariance.update(part + 100)
    np.testing.assert_allclose(covariance.matrix(), np.cov(made.T.numpy()), atol=1e-9)
    found = find_redundancy(covariance)
    rho = np.corrcoef(made[:, :6].T.numpy())
    np.testing.assert_allclose(found.correlation[:6, :6], rho, atol=1e-8)
    assert found.partner[:2].tolist() == [3, 4]
    assert found.partner[6] == -1
    assert found.partner_correlation[1] == pytest.approx(-1)
    assert found.num_superfluous == 3  # six units that move say three things
    assert not found.superfluous[6]
    assert found.num_alike == 2
    assert (found.r_squared[:6] > 0.99).all()
    eigenvalues = np.linalg.eigvalsh(np.cov(made.T.numpy()))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert found.participation_ratio == pytest.approx(expected)
    assert found.dimensions_99 == 3


def test_r_squared_is_that_of_least_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(200, 5, generator=generator).double()
    rows[:, 4] += rows[:, 0] - 0.5 * rows[:, 1]
    covariance = Covariance(layer(5), seed=0)
    covariance.update(rows)
    others = np.c_[np.ones(200), rows[:, :4].numpy()]
    left = rows[:, 4].numpy() - others @ np.linalg.lstsq(others, rows[:, 4].numpy(), rcond=None)[0]
    expected = 1 - left.var() / rows[:, 4].numpy().var()
    assert find_redundancy(covariance).r_squared[4] == pytest.approx(expected, abs=1e-6)


def test_few_samples_do_not_make_units_superfluous() -> None:
    covariance = Covariance(layer(6), seed=0)
    covariance.update(torch.randn(5, 6, generator=torch.Generator().manual_seed(0)))
    found = find_redundancy(covariance)
    assert np.isnan(found.num_superfluous)
    assert not found.superfluous.any()
    assert np.isnan(found.r_squared).all()
    assert found.dimensions_99 <= 4


def test_a_wide_layer_is_measured_on_units_drawn_by_the_seed() -> None:
    rows = torch.randn(6, 3000, generator=torch.Generator().manual_seed(0))
    covariance = Covariance(layer(3000), seed=1)
    covariance.update(rows)
    assert len(covariance.units) == 2048
    chosen = rows[:, covariance.units].double().numpy()
    np.testing.assert_allclose(np.diag(covariance.matrix()), chosen.var(0, ddof=1))
    assert (Covariance(layer(3000), seed=1).units == covariance.units).all()


def test_clusters_lie_side_by_side() -> None:
    rows = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)).double()
    mixed = torch.stack([rows[:, k % 2] for k in range(8)], 1)
    mixed += 0.1 * torch.randn(300, 8, generator=torch.Generator().manual_seed(1)).double()
    order = clustered(np.corrcoef(mixed.T.numpy()), 6)
    assert len(order) == 6
    assert (np.diff(order % 2) != 0).sum() == 1
