"""Batch scores against scoring itself and against outside definitions."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, pearsonr

from spectrogen_app.evaluation import metrics, published
from spectrogen_app.processing.scoring import GRIDS, Prepared, score

RNG = np.random.default_rng(0)
GRID = GRIDS["raman"]


def curves(n):
    centers = RNG.uniform(200, 1250, (n, 6, 1))
    return np.exp(-(((GRID.x - centers) / 9) ** 2)).sum(1)


def test_a_batch_is_scored_as_one_by_one():
    prediction, truth = curves(5), curves(5)
    mask = np.ones(truth.shape, bool)
    mask[2, :400] = False
    batch = metrics.score_all(prediction, truth, mask, GRID)
    for i in range(5):
        one = score(prediction[i], Prepared(GRID.x, truth[i], mask[i], GRID), GRID)
        assert (batch.r[i], batch.rmse[i], batch.f1[i]) == pytest.approx((one.r, one.rmse, one.f1))


def test_pearson_is_scipys():
    a, b = curves(1), curves(1)
    mask = RNG.random(a.shape) > 0.3
    assert metrics.pearson(a, b, mask)[0] == pytest.approx(pearsonr(a[mask], b[mask])[0])
    assert metrics.pearson(np.ones_like(a), b, mask)[0] == 0


def test_auroc_is_mann_whitney():
    a, b = RNG.normal(1, 1, 60).round(1), RNG.normal(0, 1, 80).round(1)
    assert metrics.auroc(a, b) == pytest.approx(mannwhitneyu(a, b).statistic / (60 * 80))


def test_interval_resamples_minerals_not_spectra():
    values = np.repeat(RNG.normal(size=10), 50)
    minerals = np.repeat(np.arange(10), 50).astype(str)
    low, high = metrics.by_mineral(values, minerals)
    alone = metrics.by_mineral(values, np.arange(500).astype(str))
    assert low < values.mean() < high
    assert high - low > 2 * (alone[1] - alone[0])


def test_paired_p():
    minerals = np.arange(40).astype(str)
    noise = RNG.normal(size=40)
    assert metrics.paired_p(noise + 2, minerals) < 0.001
    assert metrics.paired_p(noise - noise.mean(), minerals) > 0.9


def test_rescaled_is_scorings_normalisation():
    out = metrics.rescaled(3 + 5 * curves(2))
    assert out.max() == pytest.approx(1)
    assert out.min() == 0


def test_a_blank_plot_flatters():
    """Published: a plot without a curve scores SSIM 0.95 against the true plot, RMSE 0.07."""
    picture = published.plotted(curves(1)[0] / 2)
    blank = published.image_scores(np.ones_like(picture), picture)
    assert blank["ssim"] > 0.9
    assert blank["rmse"] < 0.12
    assert published.image_scores(picture, picture)["ssim"] == pytest.approx(1)
    assert picture.shape == published.tiled(curves(1)[0]).shape == (256, 2048)


def test_the_published_layout_has_the_published_shape():
    import torch

    with torch.device("meta"):
        network = published.PublishedNetwork()
        out = network.down(torch.zeros(1, 1, 256, 2048))
    assert out.shape == (1, 512)
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters == pytest.approx(405e6, rel=0.01)
