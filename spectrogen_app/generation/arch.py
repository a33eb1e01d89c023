"""The network: it scores every remembered sample for a query and mixes their line tables.

For each pair of query and training sample about fifty likenesses are measured (see
:mod:`spectrogen_app.generation.memory`), among them those in the latent space of the autoencoder
(:mod:`spectrogen_app.generation.latent`) and to what kernel ridge regression answers; a small
network, the gate, turns them into the share of that sample in the answer. The answer is decoded
from the mixed line densities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectrogen_app.data.formula import ELEMENTS, Formula
from spectrogen_app.generation.background import without_background
from spectrogen_app.generation.composition import (
    PAIR_FEATURES,
    Composition,
    pair_features,
    unit_rows,
)
from spectrogen_app.generation.config import Config
from spectrogen_app.generation.memory import Memory, Query, moved, remember
from spectrogen_app.generation.result import Line

FORMULA = "formula"
CANDIDATES = 128
"""Most training samples that take part in one answer."""
FEW = 4
"""Up to so many queries at once are answered from their candidates alone, which is quicker."""
SHARPER = 0.5
"""How much the shares of familiar queries are raised to a power above 1: known minerals have one
best reference, of new ones a mean over many is safest."""
SCATTER = 0.5
"""Width of a draw around a training sample's code, relative to the posterior's."""
LEAST_LOG = -15.0
SECOND_LOOK = 3
"""Features added for the second look: likeness to the first answer, share, entropy."""
FULL_COVERAGE = 0.98
"""Spectra that cover this share of the grid are compared on all of it; at 0.9 an infrared spectrum
from 650 cm-1 on would be taken for one without bands below."""
FloatArray = NDArray[np.float64]


@dataclass
class Pairs:
    """Candidates for each query.

    Attributes
    ----------
    rows : Tensor of int, shape (batch, candidates)
        Rows of the target's remembered spectra.
    features : Tensor, shape (batch, candidates, features)
    ridge : Tensor, shape (batch, rows)
        Weights of kernel ridge regression, scaled to an answer of unit length.
    pattern : int
        Which sources were given.
    familiarity : Tensor, shape (batch, FAMILIARITY_FEATURES)
    """

    rows: Tensor
    features: Tensor
    ridge: Tensor
    pattern: int
    familiarity: Tensor


FAMILIARITY_FEATURES = 7


class _QueryDropout(nn.Dropout):
    """Drops the same units for all candidates of a query."""

    def forward(self, x: Tensor) -> Tensor:
        return x * super().forward(torch.ones_like(x[:, :1])) if self.training else x


class PairScorer(nn.Module):
    """Scores pairs of query and training sample for one target."""

    def __init__(self, features: int, hidden: int = 48) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(features))
        self.scale = nn.Buffer(torch.ones(features))
        self.linear = nn.ModuleList()
        self.deep = nn.ModuleList()
        for extra in (0, SECOND_LOOK):
            last = nn.Linear(hidden, 1)
            nn.init.zeros_(last.weight)
            self.linear.append(nn.Linear(features + extra, 1))
            self.deep.append(
                nn.Sequential(
                    nn.Linear(features + extra, hidden), nn.GELU(), _QueryDropout(0.1),
                    nn.Linear(hidden, hidden), nn.GELU(), last,
                )
            )  # fmt: skip

    def score(self, stage: int, x: Tensor) -> Tensor:
        """Scores of candidates, shape (batch, candidates), from their features."""
        return (self.linear[stage](x) + self.deep[stage](x))[..., 0]


def patterns_of(config: Config, target: str) -> dict[str, int]:
    """Bit of each possible source of a target."""
    others = [m for m in config.grids if m != target]
    return {s: 1 << i for i, s in enumerate((*others, FORMULA))}


def feature_count(config: Config, target: str) -> int:
    """Number of pair features of a target."""
    views = sum(2 * len(config.views[m]) + 1 for m in config.grids if m != target)
    return views + PAIR_FEATURES + 3 + 2 + 3 + len(config.grids) + 1


def build_pairs(memory: Memory, query: Query, target: str) -> Pairs:
    """Find the candidates for each query and measure how like they are.

    Parameters
    ----------
    memory : Memory
    query : Query
        Without the target's own modality.
    target : str
    """
    config = memory.config
    samples = memory.rows[target]
    batch, rows = len(query), len(samples)
    zeros = memory.log_count.new_zeros
    absent = zeros(1, 1, 1).expand(batch, rows, 1)
    columns: list[Tensor] = []
    prior = zeros(batch, rows)
    seen = [zeros(batch)] * 2
    for m in (m for m in config.grids if m != target):
        width = len(config.views[m])
        if m not in query.cosines:
            columns.append(absent.expand(-1, -1, 2 * width + 1))
            continue
        at = memory.row_of(m)[samples]
        has = (at >= 0).float()
        cosines = query.cosines[m].transpose(1, 2)
        real = cosines[:, at.clamp_min(0)] * has[None, :, None]
        guessed = zeros(batch, rows, width)
        lacking, carriers, weights, norms = memory.imputed(m, target)
        if len(lacking):
            along = cosines[:, memory.row_of(m)[carriers]]
            guessed[:, lacking] = torch.einsum("bcv,lc->blv", along, weights) / norms[None]
        columns += [real, guessed, has[None, :, None].expand(batch, -1, 1)]
        prior = prior + (real + guessed).mean(-1)
        seen = [seen[0] + cosines.amax((1, 2)), seen[1] + cosines[..., 0].amax(1)]
    if query.composition is not None:
        alike = pair_features(query.composition, memory.compositions(target, samples))
        columns.append(alike)
        prior = prior + 1.5 * alike[..., -1] + 0.5 * alike[..., 2]
        closest = alike[..., -1].amax(1)
    else:
        columns.append(absent.expand(-1, -1, PAIR_FEATURES))
        closest = zeros(batch)
    spectral = tuple(query.cosines)
    if spectral:
        guess = memory.predicted_composition(query, spectral)
        known = memory.compositions(target, samples)
        likes = [guess[k] @ known[k].T for k in guess]
        columns.append(torch.stack(likes, -1))
        if query.composition is None:
            prior = prior + torch.stack(likes).mean(0)
    else:
        columns.append(absent.expand(-1, -1, 3))
    shadow = memory.shadow[target]
    mean, _ = query.posterior()
    assert memory.latent is not None
    assert memory.keys is not None
    near = memory.latent.likeness(target, mean, memory.keys[samples])
    decoded = torch.log_softmax(near, 1)
    imagined = unit_rows(decoded.exp() @ shadow) @ shadow.T
    columns += [decoded.clamp_min(LEAST_LOG)[..., None] / 3, imagined[..., None]]
    ridge = memory.ridge(query.sources, target)
    solved = zeros(batch, rows)
    solved[:, memory.row_of(target)[ridge.samples]] = ridge.weights(
        memory.kernel_to(query, query.sources, ridge.samples, ("ridge", query.sources, target))
    )
    answer = solved @ shadow
    length = answer.norm(dim=1, keepdim=True).clamp_min(1e-9)
    likeness = (answer / length) @ shadow.T
    prior = prior + likeness
    columns += [
        likeness[..., None], 3 * solved[..., None],
        memory.log_count[samples][None, :, None].expand(batch, -1, 1),
    ]  # fmt: skip
    count = min(CANDIDATES, rows)
    best = prior.topk(count, dim=1)
    bits = patterns_of(config, target)
    flags = answer.new_tensor([float(s in query.sources) for s in bits])
    features = torch.cat(
        [
            *(c.gather(1, best.indices[..., None].expand(-1, -1, c.shape[-1])) for c in columns),
            flags.expand(batch, count, -1), (best.values - best.values[:, :1])[..., None],
        ],
        -1,
    )  # fmt: skip
    given = max(len(spectral), 1)
    familiarity = torch.stack(
        [seen[0] / given, seen[1] / given, closest, best.values[:, 0] / (len(query.sources) + 1),
         best.values[:, 0] - best.values[:, min(5, count - 1)], length[:, 0], near.amax(1)], 1,
    )  # fmt: skip
    pattern = sum(bits[s] for s in query.sources)
    return Pairs(best.indices, features, solved / length, pattern, familiarity)


def stages(scorer: PairScorer, pairs: Pairs, near: Tensor) -> list[Tensor]:
    """Shares of the candidates at first and at second look, each of shape (batch, candidates).

    The second look compares each candidate with the first answer.

    Parameters
    ----------
    near : Tensor, shape (batch, candidates, any)
        The candidates' shadows, see :class:`spectrogen_app.generation.memory.Memory`.
    """
    x = (pairs.features - scorer.mean) / scorer.scale
    scores = scorer.score(0, x)
    first = torch.softmax(scores, 1)
    answer = unit_rows((first[:, None] @ near)[:, 0])
    alike = (near @ answer[:, :, None])[..., 0]
    entropy = (first * (first + 1e-9).log()).sum(1, keepdim=True).expand_as(first)
    seen = torch.stack([3 * alike, 0.5 * (first * first.shape[1] + 1e-3).log(), entropy], -1)
    scores = scores + scorer.score(1, torch.cat([x, seen], -1))
    return [first, torch.softmax(scores, 1)]


def shares_of(scorers: Sequence[PairScorer], pairs: Pairs, shadow: Tensor) -> Tensor:
    """Shares of the candidates, mean over the members, shape (batch, candidates)."""
    near = shadow[pairs.rows]
    return torch.stack([stages(s, pairs, near)[-1] for s in scorers]).mean(0)


def settled(shares: Tensor, familiarity: Tensor) -> Tensor:
    """Shares that add up to 1, the more unequal the more familiar the query is."""
    power = 1 + SHARPER * familiarity.to(shares)[:, None]
    raised = shares**power
    return raised / raised.sum(1, keepdim=True)


@dataclass
class Reply:
    """Answers for one target.

    Attributes
    ----------
    y, lower, upper : ndarray, shape (batch, size)
        1 is the highest peak; the band is pointwise.
    sure_lower, sure_upper : ndarray, shape (batch, size)
        The band that holds the whole spectrum at once.
    familiarity : ndarray, shape (batch,)
    weights : ndarray, shape (batch, samples)
        Share of each training sample.
    """

    y: FloatArray
    lower: FloatArray
    upper: FloatArray
    sure_lower: FloatArray
    sure_upper: FloatArray
    familiarity: FloatArray
    weights: FloatArray
    _lines: Callable[[int], tuple[Line, ...]]

    def lines(self, row: int) -> tuple[Line, ...]:
        """The line list of one answer."""
        return self._lines(row)


class Network:
    """A model: memory, scorers and calibration.

    Parameters
    ----------
    config : Config
    tensors : mapping of str to Tensor
        As in ``weights.safetensors``.
    """

    def __init__(self, config: Config, tensors: Mapping[str, Tensor]) -> None:
        self.config = config
        self.tensors = dict(tensors)
        self.memory, self.banks = remember(config, tensors)
        self.sources = tuple(config.grids)
        self.scorers: dict[str, list[PairScorer]] = {}
        for target in config.settings["targets"]:
            self.scorers[target] = [
                self._scorer(target, k) for k in range(int(config.settings["members"]))
            ]
        self.targets = tuple(self.scorers)

    def _scorer(self, target: str, k: int) -> PairScorer:
        prefix = f"scorer.{target}.{k}."
        state = {n[len(prefix) :]: t.float() for n, t in self.tensors.items()
                 if n.startswith(prefix)}  # fmt: skip
        scorer = PairScorer(
            feature_count(self.config, target), state["deep.0.0.weight"].shape[0]
        )
        scorer.load_state_dict(state)
        return scorer.eval()

    def to(self, device: str) -> None:
        """Move to a device."""
        if str(self.memory.device) == device:
            return
        self.memory = moved(self.memory, device)
        for bank in self.banks.values():
            bank.spectrum_of_shapes = bank.spectrum_of_shapes.to(device)
        for members in self.scorers.values():
            for scorer in members:
                scorer.to(device)

    def without_background(
        self, modality: str, y: FloatArray, mask: NDArray[np.bool_]
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Sources as the network looks at them, and which of them lost a background."""
        rules = self.config.settings.get("background", {})
        return without_background(y, mask, self.config.grids[modality], rules)

    @torch.inference_mode()
    def query(
        self,
        arrays: Mapping[str, tuple[FloatArray, NDArray[np.bool_]]],
        formulas: Sequence[Formula] | None,
        *,
        clean: bool = False,
    ) -> Query:
        """Compare spectra on the grid, shape (batch, size), and formulas with the memory.

        ``clean`` says that they are already without background.
        """
        device = self.memory.device
        cosines = {}
        for m, (raw, mask) in arrays.items():
            y = raw if clean else self.without_background(m, raw, mask)[0]
            given = torch.as_tensor(y, dtype=torch.float32, device=device)
            out = given.new_empty(len(y), len(self.config.views[m]), len(self.memory.rows[m]))
            for key, rows in _by_mask(mask).items():
                at = torch.as_tensor(rows, device=device)
                part = None if key is None else torch.as_tensor(
                    np.unpackbits(np.frombuffer(key, np.uint8), count=mask.shape[1]).astype(bool),
                    device=device,
                )  # fmt: skip
                measured = torch.as_tensor(mask[rows], device=device)
                if part is not None:
                    measured = measured & part
                out[at] = self.memory.cosines(m, given[at] * measured, measured, part)
            cosines[m] = out
        composition = None
        if formulas is not None:
            counts = torch.tensor(
                [[f.counts.get(e, 0.0) for e in ELEMENTS] for f in formulas], dtype=torch.float32
            )
            composition = Composition.of(counts.to(device))
        return Query(cosines, composition, self.memory.experts(cosines, composition))

    @torch.inference_mode()
    def answer(self, query: Query, target: str) -> Reply:
        """Answer queries; what they hold of the target's own modality is not used."""
        memory = self.memory
        query = query.without(target)
        pairs = build_pairs(memory, query, target)
        found = shares_of(self.scorers[target], pairs, memory.shadow[target])
        calibration = self.config.settings["calibration"][target]
        familiarity = familiar(calibration["familiarity"], pairs, found)
        shares = settled(found, familiarity)
        parts = self.config.settings.get("ridge", {}).get(target, {})
        part = ridge_part(parts, pairs.pattern, familiarity)
        weights = with_ridge(memory, target, pairs, shares, part.to(shares))
        y, sigma, coefficients = compose(memory, target, pairs.rows, shares, weights)
        factors = band_factors(calibration["bands"], familiarity)
        bands = [
            (y + f[:, None] * sigma).clamp(0, 1.5).cpu().numpy().astype(float)
            for f in factors.to(y).unbind(1)
        ]
        by_sample = torch.zeros(len(query), len(memory), device=memory.device)
        by_sample.scatter_(1, memory.rows[target][pairs.rows], shares)
        coefficient = coefficients.cpu().numpy()

        def lines(row: int) -> tuple[Line, ...]:
            return self.banks[target].lines(self._density(target, coefficient[row]))

        out = y.cpu().numpy().astype(float)
        return Reply(
            out, np.minimum(bands[0], out), np.maximum(bands[1], out),
            np.minimum(bands[2], out), np.maximum(bands[3], out),
            familiarity.cpu().numpy().astype(float), by_sample.cpu().numpy(), lines,
        )  # fmt: skip

    def _density(self, target: str, coefficient: NDArray[np.float32]) -> FloatArray:
        """Line density, shape (shapes, size), of so much of each line table."""
        start, shape, place, height = (
            self.tensors[f"{target}.{key}"].numpy() for key in ("start", "shape", "place", "height")
        )
        size, shapes = self.config.grids[target].size, len(self.config.banks[target].fwhm)
        weight = np.repeat(coefficient, np.diff(start)) * height
        at = shape.astype(np.int64) * size + place
        return np.bincount(at, weight, shapes * size).clip(0).reshape(shapes, size)

    @torch.inference_mode()
    def draw(self, query: Query, target: str, n: int, seed: int) -> FloatArray:
        """Draw ``n`` spectra for each query from the autoencoder, shape (batch, n, size).

        A code is drawn from the mixture of Gaussians around the training samples' codes, weighed
        by their shares in the answer (an exemplar posterior: that of the encoders alone knows too
        little of the gate's doubt, its draws are too alike), and decoded among the candidates.
        """
        memory = self.memory
        query = query.without(target)
        pairs = build_pairs(memory, query, target)
        shares = shares_of(self.scorers[target], pairs, memory.shadow[target])
        generator = torch.Generator().manual_seed(seed)
        _, variance = query.posterior()
        assert memory.keys is not None
        keys = memory.keys[memory.rows[target]]
        out = np.empty((len(query), n, self.config.grids[target].size))
        for i, rows in enumerate(pairs.rows):
            noise = torch.randn(n, keys.shape[1], generator=generator).to(keys)
            picks = torch.multinomial(shares[i].cpu(), n, True, generator=generator)
            z = keys[rows[picks.to(rows.device)]] + SCATTER * variance[i].sqrt() * noise
            drawn = draw_shares(memory, target, rows, shares[i], z)
            y, _, _ = compose(memory, target, rows.expand(n, -1), drawn)
            out[i] = y.cpu().numpy()
        return out


def draw_shares(memory: Memory, target: str, rows: Tensor, shares: Tensor, z: Tensor) -> Tensor:
    """Shares of candidates for codes, shape (n, candidates).

    Parameters
    ----------
    rows, shares : Tensor, shape (candidates,)
        Rows of the target, and their shares in the answer.
    z : Tensor, shape (n, dimensions)
    """
    assert memory.latent is not None
    assert memory.keys is not None
    near = memory.latent.likeness(target, z, memory.keys[memory.rows[target][rows]])
    return torch.softmax(near + (shares + 1e-9).log(), 1)


def _by_mask(mask: NDArray[np.bool_]) -> dict[bytes | None, list[int]]:
    """Rows by the part that was measured; None stands for all of the grid.

    The ends of a partial range are moved inwards to one of 64 places, so that few parts differ.
    """
    out: dict[bytes | None, list[int]] = {}
    step = max(1, mask.shape[1] // 64)
    for i, row in enumerate(mask):
        key = None
        if row.mean() < FULL_COVERAGE:
            seen = np.flatnonzero(row)
            low, high = -(-seen[0] // step) * step, (seen[-1] + 1) // step * step
            cut = row.copy()
            cut[:low] = False
            cut[high:] = False
            key = np.packbits(cut if cut.any() else row).tobytes()
        out.setdefault(key, []).append(i)
    return out


def with_ridge(
    memory: Memory, target: str, pairs: Pairs, shares: Tensor, part: Tensor
) -> Tensor | None:
    """Weights on the target's rows, shape (batch, rows), of the mixture with kernel ridge.

    Both are scaled to unit length first; without any kernel ridge regression None.

    Parameters
    ----------
    shares : Tensor, shape (batch, candidates)
    part : Tensor, shape (batch,)
        Of kernel ridge regression, 0..1.
    """
    if not part.any():
        return None
    length = (shares[:, None] @ memory.shadow[target][pairs.rows])[:, 0].norm(dim=1, keepdim=True)
    own = torch.zeros_like(pairs.ridge).scatter(1, pairs.rows, shares / length)
    return (1 - part[:, None]) * own + part[:, None] * pairs.ridge


def ridge_part(parts: Mapping[str, float], pattern: int, familiarity: Tensor) -> Tensor:
    """How much of an answer is that of kernel ridge regression: the less familiar, the more."""
    return parts.get(str(pattern), 0.0) * (1 - familiarity)


def compose(
    memory: Memory, target: str, rows: Tensor, shares: Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix remembered spectra, each of them of unit length.

    Parameters
    ----------
    rows, shares : Tensor, shape (batch, candidates)
    weights : Tensor, shape (batch, target's rows), optional
        What is mixed in place of the shares, which then give the spread alone.

    Returns
    -------
    y : Tensor, shape (batch, size)
        Clipped at 0, 1 is the highest point.
    sigma : Tensor, shape (batch, size)
        Spread of the contributing spectra, plus a floor.
    coefficients : Tensor, shape (batch, target's rows)
        How much of each line table is in ``y``.
    """
    stored, norm, peak = memory.spectra[target], memory.target_norm(target), memory.peak(target)
    dense = stored.new_zeros(len(rows), len(stored)).scatter(1, rows, shares)
    mixed = (dense if weights is None else weights) / norm
    if len(rows) <= FEW:
        near = stored[rows]
        portion = (shares / peak[rows])[:, None]
        first = (portion @ near)[:, 0]
        second = ((portion / peak[rows][:, None]) @ near.square())[:, 0]
        answer = (
            ((shares / norm[rows])[:, None] @ near)[:, 0] if weights is None else mixed @ stored
        )
    else:
        first, second = (dense / peak) @ stored, (dense / peak**2) @ stored.square()
        answer = mixed @ stored
    thinned = answer[:, ::4]
    low = thinned.kthvalue(1 + thinned.shape[1] // 50, dim=1, keepdim=True).values
    above = (answer - low).clamp_min(0)
    height = above.amax(1, keepdim=True).clamp_min(1e-9)
    y = above / height
    sigma = (second - first**2).clamp_min(0).sqrt() + 0.15 * y + 0.01
    return y, sigma, mixed / height


def familiarity_inputs(pairs: Pairs, shares: Tensor) -> Tensor:
    """What familiarity is judged from, shape (batch, FAMILIARITY_FEATURES + 2)."""
    top = shares.amax(1)
    entropy = -(shares * (shares + 1e-9).log()).sum(1)
    return torch.cat([pairs.familiarity, torch.stack([top, entropy], 1)], 1)


def familiar(judge: Mapping[str, Any], pairs: Pairs, shares: Tensor) -> Tensor:
    """Familiarity 0..1 by logistic regression, one per pattern of sources, shape (batch,)."""
    fitted = judge.get(str(pairs.pattern), judge["all"])
    x = familiarity_inputs(pairs, shares)
    mean, scale, weight = (x.new_tensor(fitted[k]) for k in ("mean", "scale", "weight"))
    return torch.sigmoid(((x - mean) / scale) @ weight + fitted["bias"])


def band_factors(bands: Mapping[str, Any], familiarity: Tensor) -> Tensor:
    """Multiples of sigma for lower, upper, sure lower and sure upper, shape (batch, 4).

    Interpolated between the centres of the familiarity classes that were calibrated.
    """
    centres, factors = np.array(bands["centres"]), np.array(bands["factors"])
    f = familiarity.cpu().numpy()
    return torch.tensor(np.stack([np.interp(f, centres, column) for column in factors.T], 1))
