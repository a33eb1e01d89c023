"""What the model remembers of its training samples, and how like a query each of them is.

Remembered are line tables, compositions and names, never a measured curve. Spectra of the training
samples are rendered from their line tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectrogen_app.generation.composition import Composition, composition_kernel, unit_rows
from spectrogen_app.generation.config import Config, View
from spectrogen_app.generation.latent import Expert, Latent, formula_input, load_latent, product
from spectrogen_app.generation.lines import LineBank

_SPECTRUM_GAMMA = 5.0
_FEATURELESS = 1e-3
"""A part of a remembered spectrum with less of its length than this has no features."""
_RIDGE = 0.1
_HELD = 0.03
_FORMULA = "formula"
_GUESSED = ("elements", "classes", "class_cations")


def unit(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Rows centred and of unit length; with a mask, over its part and 0 elsewhere."""
    if mask is None:
        x = x - x.mean(-1, keepdim=True)
    else:
        x = (x - (x * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp_min(1)) * mask
    return x / x.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def look(y: Tensor, view: View, measured: Tensor, *, within: Tensor | None = None) -> Tensor:
    """A view of spectra: power, filter, thinning, centring, unit length.

    Parameters
    ----------
    y : Tensor, shape (batch, size)
        0 where not measured.
    view : View
    measured : Tensor of bool, shape (batch, size)
        Slopes take the curve to go on level beyond its ends.
    within : Tensor of bool, shape (size,), optional
        Only this part counts.
    """
    y = y.clamp_min(0)
    if view.slope:
        at = torch.arange(y.shape[1], device=y.device).expand(len(y), -1)
        first = measured.float().argmax(1, keepdim=True)
        last = y.shape[1] - 1 - measured.flip(1).float().argmax(1, keepdim=True)
        y = y.gather(1, at.clamp(first, last))
    if view.power != 1.0:
        y = y**view.power
    if view.blur:
        reach = int(4 * view.blur + 0.5)
        steps = torch.arange(-reach, reach + 1, dtype=y.dtype, device=y.device)
        shape = torch.exp(-0.5 * (steps / view.blur) ** 2)
        shape = shape / shape.sum()
        if view.slope:
            shape = shape * steps / view.blur
        y = torch.nn.functional.conv1d(
            torch.nn.functional.pad(y[:, None], (reach, reach), mode="replicate"),
            shape[None, None], stride=view.thin,
        )[:, 0]  # fmt: skip
    elif view.thin > 1:
        y = y[:, :: view.thin]
    if within is None:
        return unit(y)
    return unit(y, within[None, :: view.thin].expand(len(y), -1).to(y.dtype))


@dataclass
class Query:
    """Samples asked about.

    Attributes
    ----------
    cosines : dict of str to Tensor, shape (batch, views, rows)
        With the remembered spectra of each source modality.
    composition : Composition or None
    experts : dict of str to Expert
        What each source says about the code.
    """

    cosines: dict[str, Tensor]
    composition: Composition | None
    experts: dict[str, Expert] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """What is given, ``formula`` last."""
        return (*self.cosines, _FORMULA) if self.composition is not None else tuple(self.cosines)

    def __len__(self) -> int:
        if self.composition is not None:
            return len(self.composition.known)
        return len(next(iter(self.cosines.values())))

    def without(self, modality: str) -> Query:
        """The same without the spectra of one modality."""
        rest = {m: c for m, c in self.cosines.items() if m != modality}
        experts = {s: e for s, e in self.experts.items() if s != modality}
        return Query(rest, self.composition, experts)

    def posterior(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of the code, each of shape (batch, dimensions)."""
        return product(self.experts)

    def take(self, index: Tensor, sources: Sequence[str]) -> Query:
        """Some of the samples, knowing only some of the sources."""
        composition = self.composition if _FORMULA in sources else None
        return Query(
            {m: c[index] for m, c in self.cosines.items() if m in sources},
            composition.take(index) if composition else None,
            {s: (m[index], p[index]) for s, (m, p) in self.experts.items() if s in sources},
        )


@dataclass
class Ridge:
    """Kernel ridge regression from some sources, as weights on training samples.

    Attributes
    ----------
    samples : Tensor of int, shape (n,)
    inverse : Tensor, shape (n, n)
        Of the kernel matrix plus the ridge.
    """

    samples: Tensor
    inverse: Tensor

    def weights(self, kernel: Tensor) -> Tensor:
        """Weights, shape (batch, n), that add up to 1, for kernel values of that shape."""
        w = kernel @ self.inverse
        return w + (1 - w.sum(1, keepdim=True)) / len(self.samples)


@dataclass
class Memory:
    """The training samples.

    Attributes
    ----------
    config : Config
    composition : Composition
    rows : dict of str to Tensor of int
        Sample of each remembered spectrum of a modality, ascending.
    spectra : dict of str to Tensor, shape (rows, size)
        Rendered from the line tables.
    measured : dict of str to Tensor of bool, shape (rows, size)
        Which part of the grid each table was fitted on.
    log_count : Tensor, shape (samples,)
        Logarithm of the number of samples of the same mineral.
    shadow : dict of str to Tensor, shape (rows, any)
        Coordinates of the centred spectra of unit length in their leading directions, to compare
        answers quickly.
    latent : Latent or None
        The autoencoder.
    keys : Tensor or None, shape (samples, dimensions)
        Codes of the samples.
    """

    config: Config
    composition: Composition
    rows: dict[str, Tensor]
    spectra: dict[str, Tensor]
    measured: dict[str, Tensor]
    log_count: Tensor
    shadow: dict[str, Tensor] = field(default_factory=dict)
    latent: Latent | None = None
    keys: Tensor | None = None
    _cache: dict[object, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.log_count)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.log_count.device

    def row_of(self, modality: str) -> Tensor:
        """Row of each sample, -1 where the modality is not known."""
        out = torch.full((len(self),), -1, device=self.device)
        out[self.rows[modality]] = torch.arange(len(self.rows[modality]), device=self.device)
        return out

    def restricted(self, keep: NDArray[np.bool_], minerals: Sequence[str]) -> Memory:
        """The same, as if only some samples had been seen; sample numbers stay."""
        kept = torch.as_tensor(keep, device=self.device)
        rows, spectra, measured = {}, {}, {}
        cache: dict[object, object] = {}
        shadow = {m: s[kept[self.rows[m]]] for m, s in self.shadow.items()}
        for m, samples in self.rows.items():
            mask = kept[samples]
            rows[m], spectra[m] = samples[mask], self.spectra[m][mask]
            measured[m] = self.measured[m][mask]
            cache["views", m] = [v[mask] for v in self.views(m)]
        known = self.composition.known & kept
        return Memory(
            self.config, Composition(self.composition.parts, known), rows, spectra, measured,
            log_counts(minerals, keep).to(self.device), shadow, self.latent, self.keys, cache,
        )  # fmt: skip

    def experts(
        self, cosines: Mapping[str, Tensor], composition: Composition | None
    ) -> dict[str, Expert]:
        """What each source says about the code; ``cosines`` as in :class:`Query`."""
        if self.latent is None:
            return {}
        values = {m: self.kernel(m, c) for m, c in cosines.items()}
        if composition is not None:
            values[_FORMULA] = formula_input(composition)
        return {s: self.latent.expert(s, self.latent.code(s, v)) for s, v in values.items()}

    def kernel(self, modality: str, cosines: Tensor) -> Tensor:
        """Spectral kernel, shape (batch, rows), of cosines in every view."""
        looks = [i for i, v in enumerate(self.config.views[modality]) if v.kernel]
        return torch.exp(-_SPECTRUM_GAMMA * (1 - cosines[:, looks])).mean(1)

    def views(self, modality: str) -> list[Tensor]:
        """Remembered spectra in each view, each shape (rows, thinned size)."""
        key = ("views", modality)
        if key not in self._cache:
            measured = self.measured[modality]
            seen = self.spectra[modality] * measured
            self._cache[key] = [look(seen, v, measured) for v in self.config.views[modality]]
        return self._cache[key]  # type: ignore[return-value]

    def cosines(
        self, modality: str, y: Tensor, measured: Tensor, within: Tensor | None = None
    ) -> Tensor:
        """Cosines of spectra with the remembered ones in each view, (batch, views, rows).

        Parameters
        ----------
        y, measured : Tensor, shape (batch, size)
        within : Tensor of bool, shape (size,), optional
            Both are compared over this part only.
        """
        out = []
        for view, stored in zip(self.config.views[modality], self.views(modality), strict=True):
            seen = look(y, view, measured, within=within)
            cosine = seen @ stored.T
            if within is not None:
                cosine = (cosine / _length_within(stored, within[:: view.thin])).clamp(-1, 1)
            out.append(cosine)
        return torch.stack(out, 1)

    def target_norm(self, modality: str) -> Tensor:
        """Length of each centred remembered spectrum, shape (rows,)."""
        y = self.spectra[modality]
        return self._cached(
            ("norm", modality),
            lambda: (y.square().sum(-1) - y.shape[1] * y.mean(-1) ** 2).clamp_min(1e-9).sqrt(),
        )

    def peak(self, modality: str) -> Tensor:
        """Highest point of each remembered spectrum, shape (rows,)."""
        return self._cached(
            ("peak", modality), lambda: self.spectra[modality].amax(1).clamp_min(1e-6)
        )

    def _cached(self, key: object, make: Callable[[], object]) -> Tensor:
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]  # type: ignore[return-value]

    def gram(self, modality: str, a: Tensor, b: Tensor) -> Tensor:
        """Spectral kernel between remembered spectra given by row, shape (a, b)."""
        return torch.stack(
            [
                torch.exp(-_SPECTRUM_GAMMA * (1 - v[a] @ v[b].T))
                for view, v in zip(self.config.views[modality], self.views(modality), strict=True)
                if view.kernel
            ]
        ).mean(0)

    def _known(self, sources: Sequence[str]) -> Tensor:
        known = torch.ones(len(self), dtype=torch.bool, device=self.device)
        for s in sources:
            known &= self.composition.known if s == _FORMULA else self.row_of(s) >= 0
        return known

    def compositions(self, key: object, samples: Tensor) -> Composition:
        """Compositions of samples, kept under ``key``."""
        held = ("compositions", key)
        if held not in self._cache:
            self._cache[held] = self.composition.take(samples)
        return self._cache[held]  # type: ignore[return-value]

    def kernel_between(self, sources: Sequence[str], a: Tensor, b: Tensor) -> Tensor:
        """Kernel between training samples: the sum over the sources plus their product."""
        return _combined(
            [
                composition_kernel(self.composition.take(a), self.composition.take(b))
                if s == _FORMULA
                else self.gram(s, self.row_of(s)[a], self.row_of(s)[b])
                for s in sources
            ]
        )

    def kernel_to(self, query: Query, sources: Sequence[str], b: Tensor, key: object) -> Tensor:
        """Kernel between queries and training samples, shape (batch, b); ``key`` names ``b``."""
        parts = []
        for s in sources:
            if s == _FORMULA:
                assert query.composition is not None
                known = self.compositions(key, b)
                parts.append(composition_kernel(query.composition, known))
            else:
                held = ("rows", key, s)
                if held not in self._cache:
                    self._cache[held] = self.row_of(s)[b]
                at = self._cached(held, list)
                parts.append(self.kernel(s, query.cosines[s])[:, at])
        return _combined(parts)

    def ridge(self, sources: Sequence[str], target: str) -> Ridge:
        """Kernel ridge from ``sources``; ``target`` (or ``formula``) decides which samples know."""
        key = ("ridge", tuple(sources), target)
        if key not in self._cache:
            samples = self._known((*sources, target)).nonzero()[:, 0]
            kernel = self.kernel_between(sources, samples, samples)
            kernel.diagonal().add_(_RIDGE)
            factor = torch.linalg.cholesky(kernel)
            self._cache[key] = Ridge(samples, torch.cholesky_inverse(factor))
        return self._cache[key]  # type: ignore[return-value]

    def composition_dual(self, sources: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Kernel ridge regression from spectra to composition features.

        Returns
        -------
        samples : Tensor of int, shape (n,)
        mean : Tensor, shape (features,)
        dual : Tensor, shape (n, features)
        """
        key = ("composition", tuple(sources))
        if key not in self._cache:
            ridge = self.ridge(sources, _FORMULA)
            known = self._guessable(ridge.samples)
            mean = known.mean(0) if len(known) else known.new_zeros(known.shape[1])
            self._cache[key] = (ridge.samples, mean, ridge.inverse @ (known - mean))
            del self._cache["ridge", tuple(sources), _FORMULA]
        return self._cache[key]  # type: ignore[return-value]

    def set_composition_dual(self, sources: Sequence[str], dual: Tensor) -> None:
        """Take the regression from a bundle instead of solving it again."""
        samples = self._known((*sources, _FORMULA)).nonzero()[:, 0]
        if len(samples) != len(dual):
            raise ValueError("the regression to compositions is of other samples")
        known = self._guessable(samples)
        mean = known.mean(0) if len(known) else known.new_zeros(known.shape[1])
        self._cache["composition", tuple(sources)] = (samples, mean, dual.float())

    def _guessable(self, samples: Tensor) -> Tensor:
        return torch.cat([self.composition[n][samples] for n in _GUESSED], 1)

    def predicted_composition(self, query: Query, sources: Sequence[str]) -> dict[str, Tensor]:
        """Composition features guessed from the spectra, each shape (batch, ...)."""
        samples, mean, dual = self.composition_dual(sources)
        kernel = self.kernel_to(query, sources, samples, ("composition", tuple(sources)))
        guess = mean + kernel @ dual
        sizes = [self.composition[n].shape[1] for n in _GUESSED]
        return dict(zip(_GUESSED, map(unit_rows, guess.split(sizes, 1)), strict=True))

    def imputed(self, source: str, target: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Guessed source spectra of the samples that know the target but not the source.

        Returns
        -------
        positions : Tensor of int
            Rows of the target.
        samples : Tensor of int
            Training samples that carry the guesses.
        weights : Tensor, shape (positions, samples)
        norms : Tensor, shape (positions, views)
            Lengths of the guesses in each view.
        """
        key = ("imputed", source, target)
        if key not in self._cache:
            self._cache[key] = self._impute(source, target)
        return self._cache[key]  # type: ignore[return-value]

    def _impute(self, source: str, target: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        samples = self.rows[target]
        lacking = (self.row_of(source)[samples] < 0).nonzero()[:, 0]
        carriers = self._known((source, target)).nonzero()[:, 0]
        weights = torch.zeros(len(lacking), len(carriers), device=self.device)
        with_formula = self.composition.known[samples[lacking]]
        for sources, chosen in (
            ((target, _FORMULA), with_formula), ((target,), ~with_formula),
        ):  # fmt: skip
            rows = chosen.nonzero()[:, 0]
            ridge = self.ridge(sources, source)
            if not len(rows) or not len(ridge.samples):
                continue
            kernel = self.kernel_between(sources, samples[lacking[rows]], ridge.samples)
            place = torch.searchsorted(carriers, ridge.samples)
            part = torch.zeros(len(rows), len(carriers), device=self.device)
            part[:, place] = ridge.weights(kernel)
            weights[rows] = part
        at = self.row_of(source)[carriers]
        norms = torch.stack(
            [(weights @ v[at]).norm(dim=1).clamp_min(1e-4) for v in self.views(source)], 1
        )
        return lacking, carriers, weights, norms


def _length_within(stored: Tensor, within: Tensor) -> Tensor:
    """Length of each row's part about the part's mean, shape (rows,); all of a row has length 1."""
    at = within.nonzero()
    first, last = int(at[0]), int(at[-1]) + 1
    part, weight = stored[:, first:last], within[first:last]
    if not weight.all():
        part = part * weight
    square = part.norm(dim=1) ** 2 - part.sum(1) ** 2 / weight.sum()
    return square.clamp_min(_FEATURELESS**2).sqrt()


def _combined(parts: Sequence[Tensor]) -> Tensor:
    total = torch.stack(list(parts)).sum(0)
    return total + torch.stack(list(parts)).prod(0) if len(parts) > 1 else total


def log_counts(minerals: Sequence[str], keep: NDArray[np.bool_]) -> Tensor:
    """Logarithm of the number of kept samples of each sample's mineral."""
    names, inverse = np.unique(np.asarray(minerals), return_inverse=True)
    counts = np.bincount(inverse[keep], minlength=len(names))
    return torch.tensor(np.log(np.maximum(counts[inverse], 1)), dtype=torch.float32)


def remember(
    config: Config, tensors: Mapping[str, Tensor], device: str = "cpu"
) -> tuple[Memory, dict[str, LineBank]]:
    """Render the line tables of a bundle."""
    rows, spectra, measured, banks = {}, {}, {}, {}
    for m, bank in config.banks.items():
        banks[m] = LineBank(config.grids[m], bank, device)
        rows[m] = tensors[f"{m}.sample"].long().to(device)
        spectra[m], measured[m] = render_tables(banks[m], tensors, m, device)
    counts = tensors["composition"].float().to(device)
    minerals = [name for _, name in config.samples]
    logs = log_counts(minerals, np.ones(len(minerals), bool)).to(device)
    shadow = {m: tensors[f"{m}.shadow"].float().to(device) for m in banks
              if f"{m}.shadow" in tensors}  # fmt: skip
    memory = Memory(config, Composition.of(counts), rows, spectra, measured, logs, shadow)
    if "latent.keys" in tensors:
        memory.latent, memory.keys = load_latent(tensors)
    for key in (k for k in tensors if k.startswith("composition.dual.")):
        sources = tuple(key.split(".")[2].split("+"))
        memory.set_composition_dual(sources, tensors[key].to(device))
    return memory, banks


def render_tables(
    bank: LineBank, tensors: Mapping[str, Tensor], m: str, device: str
) -> tuple[Tensor, Tensor]:
    """Spectra of all line tables of a modality and where they were measured, (rows, size).

    What was not measured goes on level for ``_HELD`` of the grid, then holds the mean of the other
    spectra.
    """
    start = tensors[f"{m}.start"].long()
    n, size, shapes = len(start) - 1, bank.grid.size, len(bank.bank.fwhm)
    owner = torch.repeat_interleave(torch.arange(n), start.diff())
    flat = tensors[f"{m}.shape"].long() * size + tensors[f"{m}.place"].long()
    height = tensors[f"{m}.height"].float()
    out = torch.empty(n, size, device=device)
    for low in range(0, n, 64):
        high = min(n, low + 64)
        a, b = int(start[low]), int(start[high])
        density = torch.zeros(high - low, shapes * size)
        density[owner[a:b] - low, flat[a:b]] = height[a:b]
        out[low:high] = bank.render(density.reshape(-1, shapes, size).to(device))
    span = tensors[f"{m}.span"].long().to(device)
    at = torch.arange(size, device=device)
    seen = (at >= span[:, :1]) & (at <= span[:, 1:])
    mean = (out * seen).sum(0) / seen.sum(0).clamp_min(1)
    nearest = torch.maximum(torch.minimum(at, span[:, 1:]), span[:, :1])
    near = (at - nearest).abs() <= _HELD * size
    filled = torch.where(near, out.gather(1, nearest), mean)
    return filled.clamp_min(0), seen


def moved(memory: Memory, device: str) -> Memory:
    """The memory on another device."""
    return dataclasses.replace(
        memory,
        composition=Composition(
            {k: v.to(device) for k, v in memory.composition.parts.items()},
            memory.composition.known.to(device),
        ),
        rows={m: v.to(device) for m, v in memory.rows.items()},
        spectra={m: v.to(device) for m, v in memory.spectra.items()},
        measured={m: v.to(device) for m, v in memory.measured.items()},
        log_count=memory.log_count.to(device),
        shadow={m: v.to(device) for m, v in memory.shadow.items()},
        latent=memory.latent.to(device) if memory.latent is not None else None,
        keys=memory.keys.to(device) if memory.keys is not None else None,
        _cache={
            k: tuple(t.to(device) for t in v)  # type: ignore[attr-defined]
            for k, v in memory._cache.items()
            if isinstance(k, tuple) and k[0] == "composition"
        },
    )
