"""Train the variational autoencoder on some samples, paired or not.

Each step takes samples with a random part of what is known of them, draws a code from the
posterior, and decodes it from the codes of the other samples: all others, or, to learn what to do
with a new mineral, those of other minerals only. The loss is the negative correlation of what is
decoded with what was measured, plus the divergence of the posterior from the standard normal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectrogen_app.generation.latent import FORMULA, Latent, formula_input, product
from spectrogen_app.generation.memory import Memory, Query

DIRECTIONS = 96
EPOCHS = 60
BATCH = 256
RATE = 2e-3
DIVERGENCE = 0.003
"""Weight of the divergence from the standard normal."""
NEW = 0.5
"""Share of the questions in which the other samples of the mineral are hidden."""
NOISE = 0.1


def fit_autoencoder(
    memory: Memory,
    queries: Query,
    truth: Mapping[str, Tensor],
    stems: NDArray[np.int64],
    keep: NDArray[np.bool_],
    *,
    seed: int,
    check: Callable[[float], None],
    epochs: int = EPOCHS,
) -> Latent:
    """Fit the autoencoder to the kept samples.

    Parameters
    ----------
    memory : Memory
        Restricted to the kept samples.
    queries : Query
        All samples against that memory; samples that lack a modality hold anything.
    truth : mapping of str to Tensor, shape (samples, directions)
        Measured spectra in the coordinates of ``memory.shadow``.
    stems : ndarray of int, shape (samples,)
        Number of each sample's mineral stem.
    keep : ndarray of bool, shape (samples,)
    seed : int
    check : callable(fraction)

    """
    targets = tuple(memory.rows)
    kernels = {m: memory.gram(m, *(torch.arange(len(memory.rows[m])),) * 2) for m in targets}
    formula = formula_input(memory.composition)
    sizes = {m: (len(k), min(DIRECTIONS, len(k))) for m, k in kernels.items()}
    torch.manual_seed(seed)
    latent = Latent({**sizes, FORMULA: (0, formula.shape[1])}, targets)
    known = {m: torch.zeros(len(keep), dtype=torch.bool) for m in targets}
    for m in targets:
        known[m][memory.rows[m]] = True
    known[FORMULA] = memory.composition.known & torch.as_tensor(keep)
    codes = {}
    for m, kernel in kernels.items():
        mean = kernel.mean(0)
        centred = kernel - mean - mean[:, None] + kernel.mean()
        directions, strength, _ = torch.svd_lowrank(centred, q=sizes[m][1], niter=3)
        projection = directions / strength.clamp_min(1e-6).sqrt()
        values = memory.kernel(m, queries.cosines[m])
        code = values @ projection
        spread = code[known[m]].std().clamp_min(1e-6)
        latent.project[m].copy_(projection / spread)
        latent.offset[m].copy_(mean @ projection / spread)
        codes[m] = latent.code(m, values)
    codes[FORMULA] = formula
    rows = torch.as_tensor(np.flatnonzero(keep))
    sources = tuple(codes)
    stem = torch.as_tensor(stems)
    paired = torch.stack([known[m][rows] for m in targets]).sum(0) > 1
    often = torch.where(paired, 3.0, 1.0)
    batch = min(BATCH, len(rows))
    steps = epochs * -(-len(rows) // batch)
    learned = [p for p in latent.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)

    def experts(at: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        found = {}
        for k, s in enumerate(sources):
            code = codes[s][at]
            mean, precision = latent.expert(s, code + NOISE * torch.randn_like(code))
            found[s] = (mean, precision * given[:, k, None])
        return product(found)

    everything = torch.stack([known[s] for s in sources], 1)
    for step in range(steps):
        if step % 20 == 0:
            check(step / steps)
        at = rows[torch.multinomial(often, batch)]
        given = everything[at] & (torch.rand(batch, len(sources)) < 0.5)
        one = (torch.rand(batch, len(sources)) * everything[at]).argmax(1)
        given[torch.arange(batch), one] |= ~given.any(1)
        keys, _ = experts(rows, everything[rows].float())
        mean, variance = experts(at, given.float())
        z = mean + variance.sqrt() * torch.randn_like(mean)
        hidden = torch.rand(batch) < NEW
        loss = DIVERGENCE * 0.5 * (mean**2 + variance - variance.log() - 1).sum(1).mean()
        for m in targets:
            asked = known[m][at]
            if asked.sum() < 2:
                continue
            others, mine = memory.rows[m], at[asked]
            likeness = latent.likeness(m, z[asked], keys[torch.searchsorted(rows, others)])
            alike = (stem[mine][:, None] == stem[others]) & hidden[asked][:, None]
            likeness = likeness.masked_fill(alike | (mine[:, None] == others), -1e4)
            made = torch.softmax(likeness, 1) @ memory.shadow[m]
            r = (made * truth[m][mine]).sum(1) / made.norm(dim=1).clamp_min(1e-6)
            loss = loss - 2 * r.sum() / batch
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return latent.eval()


@torch.no_grad()
def encode(memory: Memory, queries: Query, known: Mapping[str, Tensor]) -> tuple[Query, Tensor]:
    """The queries with what each of their sources says, and their codes from all that is known.

    Parameters
    ----------
    memory : Memory
        With its autoencoder.
    queries : Query
        All samples.
    known : mapping of str to Tensor of bool, shape (samples,)
        Who has which source.
    """
    experts = memory.experts(queries.cosines, queries.composition)
    seen = {s: (m, p * known[s].to(p)[:, None]) for s, (m, p) in experts.items()}
    return Query(queries.cosines, queries.composition, experts), product(seen)[0]
