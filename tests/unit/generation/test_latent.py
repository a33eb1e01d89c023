"""The autoencoder: experts multiply as Gaussians do, codes decode into line tables, draws fit."""

import numpy as np
import pytest
import torch

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.generation.bundle import load_model, load_parts
from spectrogen_app.generation.latent import DIMENSIONS, FORMULA, Latent, load_latent, product
from spectrogen_app.processing.scoring import score

from .conftest import made_up


def test_the_product_of_experts_is_that_of_gaussians():
    """Against the product of densities on a fine grid."""
    experts = {"a": (torch.tensor([[1.0]]), torch.tensor([[4.0]])),
               "b": (torch.tensor([[-2.0]]), torch.tensor([[0.5]]))}  # fmt: skip
    x = np.linspace(-10, 10, 20001)
    density = np.exp(-(x**2) / 2 - 4 * (x - 1) ** 2 / 2 - 0.5 * (x + 2) ** 2 / 2)
    density /= density.sum()
    mean, variance = product(experts)
    assert float(mean) == pytest.approx((x * density).sum(), abs=1e-4)
    assert float(variance) == pytest.approx(
        (x**2 * density).sum() - (x * density).sum() ** 2, abs=1e-4
    )


def test_an_expert_without_precision_says_nothing():
    silent = (torch.full((1, 3), 9.0), torch.zeros(1, 3))
    mean, variance = product({"a": silent})
    assert torch.equal(mean, torch.zeros(1, 3))
    assert torch.equal(variance, torch.ones(1, 3))


def test_a_code_decodes_into_the_nearest_samples():
    latent = Latent({"raman": (5, 4), FORMULA: (0, 7)}, ("ir",))
    keys = torch.randn(20, DIMENSIONS, generator=torch.Generator().manual_seed(0))
    shares = latent.shares("ir", keys[:6] + 0.01, keys)
    assert torch.equal(shares.argmax(1), torch.arange(6))
    torch.testing.assert_close(shares.sum(1), torch.ones(6))
    assert (shares >= 0).all()


def test_the_bundle_holds_an_autoencoder(tiny_bundle):
    config, tensors, _ = load_parts(tiny_bundle)
    latent, keys = load_latent(tensors)
    assert keys.shape == (len(config.samples), DIMENSIONS)
    assert set(latent.encoders) == {*config.grids, FORMULA}
    assert 0.02 < float(keys.std()) < 5


@pytest.fixture(scope="module")
def model(tiny_bundle):
    return load_model(path=tiny_bundle, device="cpu")


def test_draws_of_a_known_mineral_are_plausible(model):
    """Like the truth, like one another as replicates are, and made of lines in range."""
    source = Spectrum(*made_up(2, "raman", jitter=0.5), modality="raman")
    truth = Spectrum(*made_up(2, "ir", jitter=0.5), modality="ir")
    drawn = model.sample(source, "ir", 20, formula="FeCO3", seed=1)
    answer = score(model.generate(source, ["ir"], formula="FeCO3")["ir"], truth, "ir").r
    r = [score(d, truth, "ir").r for d in drawn]
    assert np.mean(r) > answer - 0.2
    assert all(d.y.min() >= 0 and d.y.max() == pytest.approx(1) for d in drawn)
    assert not np.array_equal(drawn[0].y, drawn[1].y)


def test_the_less_is_known_the_more_draws_differ(model):
    network = model.network
    everything = [Spectrum(*made_up(4, m, jitter=0.5), modality=m) for m in ("raman", "xrd")]
    stacked = model._stack([model._source(tuple(everything), "BaSO4", ("ir",))])
    full = network.query(*stacked)
    assert (full.posterior()[1] < full.take(torch.arange(1), ("raman",)).posterior()[1]).all()
