"""Pictures as waves, phases or pixels: valid, reachable by gradients, natural in their spectrum."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.inside.features import spectrum
from pellucid.inside.features.colours import correlating, to_colours, to_pixels
from pellucid.inside.features.fourier import Fourier, frequencies
from pellucid.inside.features.maco import Phases, opacity
from pellucid.inside.features.pixels import Pixels
from pellucid.inside.features.randomness import stream

CPU = torch.device("cpu")


def made(kind: str, size: tuple[int, int] = (12, 10), count: int = 2):
    streams = [stream(0, kind, index) for index in range(count)]
    if kind == "pixels":
        return Pixels.noise(streams, 3, size, device=CPU)
    if kind == "maco":
        return Phases.noise(streams, 3, size, device=CPU, spread=1.5)
    return Fourier.noise(streams, 3, size, device=CPU, decay=1.5, spread=1.5)


@pytest.mark.parametrize("kind", ["fourier", "pixels", "maco"])
@pytest.mark.parametrize("size", [(12, 10), (9, 11)])
def test_pictures_are_valid_and_of_the_size_asked_for(kind: str, size: tuple[int, int]) -> None:
    sought = made(kind, size)
    with torch.no_grad():
        sought.values *= 50
    pictures = sought.pictures()
    assert pictures.shape == (2, 3, *size)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


@pytest.mark.parametrize("size", [(12, 10), (9, 11)])
def test_every_wave_gets_a_gradient(size: tuple[int, int]) -> None:
    sought = made("fourier", size)
    weights = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    (sought.pictures() * weights).sum().backward()
    assert (sought.values.grad.abs().sum(-1) > 0).all()


def test_every_phase_but_the_constant_one_gets_a_gradient() -> None:
    sought = made("maco", (9, 11))
    weights = torch.randn(2, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    (sought.pictures() * weights).sum().backward()
    reached = sought.values.grad.abs() > 0
    assert not reached[:, :, 0, 0].any()
    assert reached.flatten(2)[:, :, 1:].all()


def test_begins_where_a_photograph_is() -> None:
    photo = torch.rand(1, 3, 14, 11, generator=torch.Generator().manual_seed(2)) * 0.9 + 0.05
    torch.testing.assert_close(Pixels.of(photo).pictures(), photo, rtol=0, atol=1e-5)
    torch.testing.assert_close(Fourier.of(photo, decay=1).pictures(), photo, rtol=0, atol=1e-4)


def test_contrast_is_held_however_far_the_values_went() -> None:
    sought = made("fourier")
    before = sought.pictures()
    with torch.no_grad():
        sought.values *= 1000
    torch.testing.assert_close(sought.pictures(), before, rtol=0, atol=1e-4)
    spread = to_colours(before).square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(spread, torch.full((2,), 1.5), rtol=1e-3, atol=0)


def test_colours_correlate_as_in_photographs() -> None:
    matrix = correlating(3)
    covariance = (matrix @ matrix.T).numpy()
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    assert (correlation[np.triu_indices(3, 1)] > 0.75).all()
    assert correlation[0, 1] > correlation[0, 2]  # red goes with green more than with blue
    assert np.linalg.matrix_rank(matrix.numpy()) == 3
    assert np.linalg.norm(matrix.numpy(), axis=0).max() == pytest.approx(1)


def test_independent_colours_become_correlated_ones_and_come_back() -> None:
    colours = torch.randn(1, 3, 40, 40, generator=torch.Generator().manual_seed(3))
    pixels = to_pixels(colours)
    seen = np.corrcoef(torch.logit(pixels)[0].flatten(1).numpy())
    matrix = correlating(3).numpy()
    expected = matrix @ matrix.T
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(seen, expected / np.outer(scale, scale), atol=0.05)
    torch.testing.assert_close(to_colours(pixels), colours, rtol=0, atol=1e-3)


def test_grey_pictures_have_one_colour() -> None:
    assert correlating(1).tolist() == [[1.0]]


def test_frequencies_are_those_of_the_transform() -> None:
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(16) / 16).expand(8, 16)
    strongest = torch.fft.rfft2(wave).abs().flatten().argmax()
    assert frequencies(8, 16).flatten()[strongest] == pytest.approx(3 / 16)


@pytest.mark.parametrize("measured", [True, False])
def test_natural_waves_are_weaker_the_finer_they_are(
    measured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if measured:
        pytest.importorskip("skimage")
    else:
        monkeypatch.setattr(spectrum, "_measured", lambda channels: (None, spectrum.LAW))
    amplitude, origin = spectrum.natural_spectrum(3, (64, 48))
    assert amplitude.shape == (3, 64, 25)
    assert amplitude[:, 0, 0].tolist() == [0, 0, 0]
    assert ("photographs of scikit-image" in origin) if measured else ("1/f" in origin)
    waves, found = frequencies(64, 48).flatten().log(), amplitude[0].flatten()
    slope = np.polyfit(waves[1:].numpy(), found[1:].log().numpy(), 1)[0]
    assert -1.8 < slope < -0.7


def test_phases_keep_the_spectrum() -> None:
    sought = made("maco", (16, 16))
    before = sought.amplitude.clone()
    sought.pictures().sum().backward()
    with torch.no_grad():
        sought.values += sought.values.grad
    assert torch.equal(sought.amplitude, before)


def test_opacity_is_a_share_and_highest_where_it_was_looked() -> None:
    looked = torch.zeros(1, 64, 64)
    looked[0, 20:40, 30:50] = 1
    looked += 0.01 * torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))
    shown = opacity(looked)
    assert shown.min() == 0
    assert shown.max() == 1
    assert shown[0, 30, 40] == 1
    assert shown[0, 5, 5] < 0.1
