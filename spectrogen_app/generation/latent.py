"""The variational autoencoder: any subset of sources to a Gaussian over codes, and back to lines.

One encoder per source (a modality or the formula) gives a Gaussian; the product of those that are
given, with the standard normal prior, is the posterior (product of experts, Wu and Goodman 2018).
The decoder is attention over the line tables of the training samples by the distance of their own
codes, as in the exemplar VAE (Norouzi et al. 2020), so what it decodes is always a list of lines.

A spectrum enters as its kernel values with the training samples, projected on the leading
directions of kernel principal component analysis, so a partial range needs no filling in.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from spectrogen_app.generation.composition import Composition

FORMULA = "formula"
DIMENSIONS = 32
HIDDEN = 128
_FORMULA_PARTS = (
    "elements", "classes", "cations", "class_cations", "anions", "stoichiometry", "hydrogen",
    "oxygen",
)  # fmt: skip
_FORMULA_SCALE = 6.7
"""Brings these features to unit variance over minerals."""

Expert = tuple[Tensor, Tensor]
"""Mean and precision of a Gaussian, each of shape (batch, dimensions)."""


def formula_input(composition: Composition) -> Tensor:
    """What the encoder of the formula reads, shape (batch, any)."""
    return _FORMULA_SCALE * torch.cat([composition[name] for name in _FORMULA_PARTS], 1)


def product(experts: Mapping[str, Expert]) -> tuple[Tensor, Tensor]:
    """Mean and variance of the product of experts with the standard normal prior."""
    precision = 1 + torch.stack([p for _, p in experts.values()]).sum(0)
    mean = torch.stack([m * p for m, p in experts.values()]).sum(0) / precision
    return mean, 1 / precision


class Latent(nn.Module):
    """Encoders and the attention of the decoder.

    Parameters
    ----------
    landmarks : mapping of str to (int, int)
        By source: number of values that enter, and of directions they are projected on. The
        formula is not projected.
    targets : sequence of str
    """

    def __init__(self, landmarks: Mapping[str, tuple[int, int]], targets: tuple[str, ...]) -> None:
        super().__init__()
        self.project = nn.ParameterDict()
        self.offset = nn.ParameterDict()
        self.encoders = nn.ModuleDict()
        for source, (entering, kept) in landmarks.items():
            if source != FORMULA:
                self.project[source] = nn.Parameter(torch.zeros(entering, kept), False)
            self.offset[source] = nn.Parameter(torch.zeros(kept), False)
            self.encoders[source] = nn.Sequential(
                nn.Linear(kept, HIDDEN), nn.GELU(), nn.Dropout(0.15),
                nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 2 * DIMENSIONS),
            )  # fmt: skip
        self.reach = nn.ParameterDict({t: nn.Parameter(torch.full((DIMENSIONS,), 0.5))
                                       for t in targets})  # fmt: skip

    def code(self, source: str, values: Tensor) -> Tensor:
        """Coordinates of kernel values, or of the formula's features, shape (batch, kept)."""
        if source in self.project:
            values = values[:, : len(self.project[source])] @ self.project[source]
        return values - self.offset[source]

    def expert(self, source: str, code: Tensor) -> Expert:
        """The Gaussian that one source stands for."""
        mean, spread = self.encoders[source](code).chunk(2, -1)
        return mean, torch.exp(-spread.clamp(-6, 6))

    def likeness(self, target: str, z: Tensor, keys: Tensor) -> Tensor:
        """Logarithm of each training sample's share in what ``z`` decodes to, up to a constant.

        Parameters
        ----------
        z : Tensor, shape (batch, dimensions)
        keys : Tensor, shape (rows, dimensions)
            Codes of the training samples that know the target.
        """
        weight = nn.functional.softplus(self.reach[target])
        a, b = z * weight, keys * weight
        return 2 * a @ b.T - (a * a).sum(1, keepdim=True) - (b * b).sum(1)

    def shares(self, target: str, z: Tensor, keys: Tensor) -> Tensor:
        """The decoder: share of each training sample's line table, shape (batch, rows)."""
        return torch.softmax(self.likeness(target, z, keys), 1)


def load_latent(tensors: Mapping[str, Tensor], prefix: str = "latent.") -> tuple[Latent, Tensor]:
    """The autoencoder of a bundle and the codes of its training samples."""
    state = {k[len(prefix) :]: v.float() for k, v in tensors.items() if k.startswith(prefix)}
    keys = state.pop("keys")
    landmarks = {}
    for name, offset in state.items():
        if name.startswith("offset."):
            source = name[7:]
            projection = state.get(f"project.{source}")
            landmarks[source] = (len(projection) if projection is not None else 0, len(offset))
    targets = tuple(name[6:] for name in state if name.startswith("reach."))
    latent = Latent(landmarks, targets)
    latent.load_state_dict(state)
    return latent.eval(), keys
