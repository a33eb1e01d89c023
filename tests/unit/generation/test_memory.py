"""What the network remembers, and how it is compared."""

import numpy as np
import torch

from spectrogen_app.generation.arch import Network
from spectrogen_app.generation.bundle import load_parts


def test_a_part_is_compared_on_that_part_alone(tiny_bundle):
    """The plain view against Pearson's r over the part, of every remembered spectrum."""
    config, tensors, _ = load_parts(tiny_bundle)
    memory = Network(config, tensors).memory
    stored = memory.spectra["raman"]
    within = torch.zeros(stored.shape[1], dtype=torch.bool)
    within[200:900] = True
    view, plain = next(
        (i, v) for i, v in enumerate(config.views["raman"]) if (v.power, v.blur) == (1.0, 0.0)
    )
    y = stored[3] * within
    found = memory.cosines("raman", y[None], within[None], within)[0, view]
    part = within[:: plain.thin]
    kept = stored[:, :: plain.thin][:, part]
    truth = [np.corrcoef(kept[3], row)[0, 1] for row in kept]
    assert np.allclose(found, truth, atol=1e-4)
