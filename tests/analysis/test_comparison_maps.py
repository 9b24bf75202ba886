import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from pellucid.analysis.comparison_maps import rank_correlation, similarity_arrays, top_overlap


def test_rank_correlation_is_spearmans():
    first, second = np.random.default_rng(0).normal(size=(2, 50)).round(1)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(first, np.exp(first)) == pytest.approx(1)
    assert np.isnan(rank_correlation(first, np.ones(50)))
    assert np.isnan(rank_correlation(first[:2], second[:2]))


def test_top_overlap_counts_the_strongest_tenth():
    first, second = np.zeros((2, 20))
    first[[3, 4]], second[[4, 9]] = (5, -6), (1, 2)
    assert top_overlap(first, second) == 0.5
    assert top_overlap(first, first * -2) == 1
    assert np.isnan(top_overlap(first, np.zeros(20)))


def test_zeros_are_never_among_the_strongest():
    first, second = np.zeros((2, 40))
    first[39], second[39] = 1, 1
    assert top_overlap(first, second) == 1
    second[30:34] = 2
    assert top_overlap(first, second) == 0


def explanation(maps, **variables):
    plane = ("y", "x") if maps.ndim == 4 else ("token",)
    return xr.Dataset({"attribution": (("method", "sample", *plane), maps)} | variables)


def test_pictures_are_brought_to_the_smaller_grid():
    fine = np.kron(np.arange(16.0).reshape(4, 4), np.ones((3, 3)))
    coarse = np.arange(16.0).reshape(4, 4)
    found = similarity_arrays(explanation(fine[None, None]), explanation(coarse[None, None]))
    assert found["rank_correlation"][1].item() == pytest.approx(1)
    assert found["top_overlap"][1].item() == 1


def texts(pieces, values):
    special = np.array([piece.startswith("[") for piece in pieces])
    word = np.cumsum([not piece.startswith("##") for piece in pieces])
    rows = {"used": np.ones(len(pieces), bool), "special": special, "word": word}
    shown = {name: (("sample", "place"), row[None]) for name, row in rows.items()}
    shown["token"] = (("sample", "place"), np.array([pieces]))
    return xr.Dataset(
        {"attribution": (("method", "sample", "place"), np.array([[values]]))} | shown
    )


def test_texts_are_compared_word_by_word():
    first = texts(["[CLS]", "un", "##happy", "about", "it"], [9.0, 1, 3, 2, 1])
    second = texts(["Unhappy", "about", "it", "[SEP]"], [4.0, 2, 1, 7])
    found = similarity_arrays(first, second)
    assert found["rank_correlation"][1].item() == pytest.approx(1)
    assert found["top_overlap"][1].item() == 1


def test_other_words_are_not_compared():
    found = similarity_arrays(texts(["a", "b", "c"], [1.0, 2, 3]), texts(["a", "b"], [1.0, 2]))
    assert np.isnan(found["rank_correlation"][1]).all()
    assert np.isnan(found["top_overlap"][1]).all()
