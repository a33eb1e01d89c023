"""From measured spectra to generated ones: checks, preprocessing, network, answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from spectrogen_app.data.axis import YUnit
from spectrogen_app.data.formula import Formula, parse_formula
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.provenance import Generation, Origin, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, GenerationError, SpectrogenError, unchecked
from spectrogen_app.generation.device import Device, is_out_of_memory
from spectrogen_app.generation.result import GenerationResult, LazyLines
from spectrogen_app.processing.scoring import Prepared, prepare

if TYPE_CHECKING:
    from spectrogen_app.generation.arch import Network, Reply

LEAST_COVERAGE = 0.15
"""Smallest share of the model's range that a source must cover."""
FULL_COVERAGE = 0.9
"""Below this share a note says which part of the range is missing."""
BATCH = 64
REFERENCES = 8


@dataclass(frozen=True)
class _Source:
    """One sample, checked and put on the grids."""

    prepared: Mapping[str, Prepared]
    formula: Formula | None
    spectra: tuple[Spectrum, ...]
    notes: tuple[str, ...]


class Translator:
    """A loaded model; make one with :func:`spectrogen_app.generation.bundle.load_model`.

    One caller at a time computes, others wait.

    Attributes
    ----------
    model_id, sha256, card : str
        Of the bundle; ``sha256`` is that of the weights.
    metrics : mapping
    inputs, targets : tuple of str
        Modality names; ``inputs`` ends with ``formula``.
    device, device_label, device_reason : str
        What computes, and why.
    """

    def __init__(
        self,
        network: Network,
        device: Device,
        sha256: str,
        card: str,
        metrics: Mapping[str, Any],
    ) -> None:
        self._network = network
        self._lock = threading.Lock()
        self.config = network.config
        self.model_id = network.config.model_id
        self.sha256 = sha256
        self.card = card
        self.metrics = MappingProxyType(dict(metrics))
        self.inputs = (*network.sources, "formula")
        self.targets = network.targets
        self._known_samples = {sample for sample, _ in self.config.samples}
        self._use(device)

    def _use(self, device: Device) -> None:
        self._network.to(device.name)
        self.device, self.device_label, self.device_reason = (
            device.name, device.label, device.reason,
        )  # fmt: skip

    @property
    def network(self) -> Network:
        """The network itself, for training and evaluation."""
        return self._network

    def generate(
        self,
        spectra: Spectrum | Sequence[Spectrum],
        targets: Sequence[str],
        formula: str | Formula | None = None,
        seed: int = 0,
        check: Check = unchecked,
    ) -> GenerationResult:
        """Generate the spectra of other modalities of one sample.

        Parameters
        ----------
        spectra : Spectrum or sequence of Spectrum
            Measured spectra of the sample, any units; several of one modality are averaged. A
            target is never generated from a spectrum of its own modality. May be empty when a
            formula is given.
        targets : sequence of str
            Modality names.
        formula : str or Formula, optional
        seed : int
            Recorded with the answer; equal requests give equal answers.
        check : callable(fraction, message)
            Raises ``Cancelled`` to stop.

        Returns
        -------
        GenerationResult

        Raises
        ------
        GenerationError
            Nothing to generate from, an unknown modality or target, or a spectrum outside the
            model's range.
        FormulaError
            The formula does not parse.
        """
        group = (spectra,) if isinstance(spectra, Spectrum) else tuple(spectra)
        answer = self.generate_many([group], targets, [formula], seed, check)[0]
        if isinstance(answer, SpectrogenError):
            raise answer
        return answer

    def generate_many(
        self,
        samples: Sequence[Spectrum | Sequence[Spectrum]],
        targets: Sequence[str],
        formulas: Sequence[str | Formula | None] = (),
        seed: int = 0,
        check: Check = unchecked,
        *,
        batch: int = BATCH,
    ) -> list[GenerationResult | SpectrogenError]:
        """Generate for many samples at once, each as in :meth:`generate`.

        Parameters
        ----------
        samples : sequence of (Spectrum or sequence of Spectrum)
        targets : sequence of str
        formulas : sequence of (str, Formula or None)
            One per sample, or empty.
        seed : int
        check : callable(fraction, message)
        batch : int
            Most samples computed at once.

        Returns
        -------
        list of (GenerationResult or SpectrogenError)
            One per sample, in order; a sample that cannot be answered does not stop the others.
        """
        self._check_targets(targets)
        groups = [(s,) if isinstance(s, Spectrum) else tuple(s) for s in samples]
        given = list(formulas) or [None] * len(groups)
        if len(given) != len(groups):
            raise GenerationError(
                f"There are {len(groups)} samples and {len(given)} formulas.",
                hint="Give one formula (or None) per sample.",
            )
        answers: list[GenerationResult | SpectrogenError] = []
        for start in range(0, len(groups), batch):
            check(start / len(groups), f"Generating {start + 1} of {len(groups)}")
            part = slice(start, start + batch)
            answers += self._generate_batch(groups[part], given[part], targets, seed, check)
        check(1.0, "Generated")
        return answers

    def sample(
        self,
        spectra: Spectrum | Sequence[Spectrum],
        target: str,
        n: int = 5,
        *,
        formula: str | Formula | None = None,
        seed: int = 0,
        check: Check = unchecked,
    ) -> tuple[Spectrum, ...]:
        """Draw ``n`` alternative spectra of one target from the autoencoder.

        Each is decoded from another draw of the sample's code, so it is sharper than the answer,
        which is their mean.

        Raises
        ------
        GenerationError, FormulaError
            As :meth:`generate`.
        """
        self._check_targets((target,))
        group = (spectra,) if isinstance(spectra, Spectrum) else tuple(spectra)
        source = self._source(group, formula, (target,))
        check(0.0, "Sampling")
        with self._lock:
            query = self._network.query(*self._stack([source]), clean=True)
            drawn = self._network.draw(query, target, n, seed)[0]
        made = self._generation(source, seed, 0.0, (), source.notes)
        return tuple(self._spectrum(source, target, (y, None, None), made) for y in drawn)

    def _check_targets(self, targets: Sequence[str]) -> None:
        if isinstance(targets, str) or not targets:
            raise GenerationError(
                "No target was chosen." if not targets else "Targets are a list of names.",
                hint=f"Choose from {', '.join(self.targets)}.",
            )
        for target in targets:
            if target not in self.targets:
                raise GenerationError(
                    f"The model {self.model_id} does not generate {_label(target)} spectra.",
                    hint=f"It generates {', '.join(map(_label, self.targets))}.",
                    target=target,
                )

    def _generate_batch(
        self,
        groups: Sequence[tuple[Spectrum, ...]],
        formulas: Sequence[str | Formula | None],
        targets: Sequence[str],
        seed: int,
        check: Check,
    ) -> list[GenerationResult | SpectrogenError]:
        sources: list[_Source | SpectrogenError] = []
        for group, formula in zip(groups, formulas, strict=True):
            try:
                sources.append(self._source(group, formula, targets))
            except SpectrogenError as error:
                sources.append(error)
        replies: dict[tuple[int, str], tuple[Reply, int]] = {}
        told: list[str] = []
        alike: dict[tuple[tuple[str, ...], bool], list[int]] = {}
        for i, source in enumerate(sources):
            if isinstance(source, _Source):
                pattern = tuple(sorted(source.prepared))
                alike.setdefault((pattern, source.formula is not None), []).append(i)
        for members in alike.values():
            chosen = [s for i in members if isinstance(s := sources[i], _Source)]
            for part, target, reply in self._computed(chosen, targets, told, check):
                for row, i in enumerate(members[part]):
                    replies[i, target] = (reply, row)
        return [
            source if isinstance(source, SpectrogenError)
            else self._result(source, targets, [replies[i, t] for t in targets], seed, told)
            for i, source in enumerate(sources)
        ]  # fmt: skip

    def _computed(
        self, chosen: Sequence[_Source], targets: Sequence[str], told: list[str], check: Check
    ) -> list[tuple[slice, str, Reply]]:
        """The network's replies; smaller batches, then the processor, when memory runs out."""
        size, done = len(chosen), 0
        out: list[tuple[slice, str, Reply]] = []
        while done < len(chosen):
            part = slice(done, done + size)
            found = []
            try:
                with self._lock:
                    query = self._network.query(*self._stack(chosen[part]), clean=True)
                    for target in targets:
                        check(0.0, f"Generating {_label(target)}")
                        found.append((part, target, self._network.answer(query, target)))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                check(0.0, "Out of memory, trying smaller batches")
                if size > 1:
                    size = max(1, size // 4)
                elif self.device != "cpu":
                    self._use(Device("cpu", "CPU", f"{self.device_label} ran out of memory."))
                    told.append(self.device_reason)
                else:
                    raise GenerationError(
                        "There is not enough memory to generate this.",
                        hint="Close other programs and try again.",
                    ) from error
                continue
            out += found
            done += size
        return out

    def _stack(
        self, sources: Sequence[_Source]
    ) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], list[Formula] | None]:
        """Arrays of shape (batch, grid) and their masks by modality, and formulas."""
        arrays = {
            m: (
                np.stack([s.prepared[m].y for s in sources]),
                np.stack([s.prepared[m].mask for s in sources]),
            )
            for m in sources[0].prepared
        }
        formulas = [s.formula for s in sources if s.formula is not None]
        return arrays, formulas or None

    def _source(
        self,
        spectra: tuple[Spectrum, ...],
        formula: str | Formula | None,
        targets: Sequence[str],
    ) -> _Source:
        parsed = parse_formula(formula) if isinstance(formula, str) and formula.strip() else (
            formula if isinstance(formula, Formula) else None
        )  # fmt: skip
        if not spectra and parsed is None:
            raise GenerationError(
                "There is nothing to generate from.", hint="Give a spectrum, a formula, or both."
            )
        notes = [f"Formula: {a}." for a in parsed.assumptions] if parsed else []
        by_modality: dict[str, list[Prepared]] = {}
        for spectrum in spectra:
            by_modality.setdefault(spectrum.modality, []).append(self._prepared(spectrum, notes))
        merged = {m: by_modality[m][0] if len(by_modality[m]) == 1 else _mean(by_modality[m])
                  for m in self.inputs if m in by_modality}  # fmt: skip
        for target in targets:
            if parsed is None and set(merged) <= {target}:
                raise GenerationError(
                    f"{_label(target)} cannot be generated from {_label(target)} alone.",
                    hint="Give a spectrum of another modality, or a formula.", target=target,
                )  # fmt: skip
            if target in merged:
                notes.append(f"The given {_label(target)} spectrum was not used to generate it.")
        return _Source(merged, parsed, spectra, tuple(notes))

    def _prepared(self, spectrum: Spectrum, notes: list[str]) -> Prepared:
        name = spectrum.name or spectrum.sample or "the spectrum"
        if spectrum.modality not in self.inputs or spectrum.modality == "formula":
            raise GenerationError(
                f"The model {self.model_id} does not know {_label(spectrum.modality)} spectra "
                f"({name}).",
                hint="Set its modality to one of "
                f"{', '.join(_label(m) for m in self.inputs if m != 'formula')}.",
                modality=spectrum.modality,
            )
        if spectrum.origin is Origin.GENERATED:
            notes.append(f"{name} is itself generated.")
        grid = self.config.grids[spectrum.modality]
        prepared = prepare(spectrum, grid)
        covered = prepared.mask.mean()
        where = f"{grid.start:g} to {grid.stop:g} {grid.x_unit}"
        if covered < LEAST_COVERAGE:
            raise GenerationError(
                f"{name} covers {spectrum.x[0]:.6g} to {spectrum.x[-1]:.6g} {spectrum.x_unit}, "
                f"{covered:.0%} of what the model reads for {_label(spectrum.modality)} "
                f"({where}).",
                hint="Check the modality and the unit of the axis; at least "
                f"{LEAST_COVERAGE:.0%} of that range is needed.",
                modality=spectrum.modality, covered=float(covered), expected=where,
            )  # fmt: skip
        if covered < FULL_COVERAGE:
            seen = prepared.x[prepared.mask]
            notes.append(
                f"{_label(spectrum.modality)}: only {seen[0]:g} to {seen[-1]:g} {grid.x_unit} was "
                f"measured of {where}."
            )
        y, removed = self._network.without_background(
            spectrum.modality, prepared.y[None], prepared.mask[None]
        )
        if removed[0]:
            notes.append(f"A broad background of {name} was taken off before it was read.")
        if not prepared.y.any():
            notes.append(f"{name} is flat: it says nothing about the sample.")
        return replace(prepared, y=y[0])

    def _result(
        self,
        source: _Source,
        targets: Sequence[str],
        replies: Sequence[tuple[Reply, int]],
        seed: int,
        told: Sequence[str],
    ) -> GenerationResult:
        familiarity = float(np.mean([reply.familiarity[row] for reply, row in replies]))
        references = self._references(replies)
        notes = tuple(dict.fromkeys((*source.notes, *told, *self._learned(source))))
        made = self._generation(source, seed, familiarity, references, notes)
        spectra = {
            target: self._spectrum(
                source, target, (reply.y[row], reply.lower[row], reply.upper[row]), made
            )
            for target, (reply, row) in zip(targets, replies, strict=True)
        }
        lines = LazyLines(
            {t: partial(reply.lines, row) for t, (reply, row) in zip(targets, replies, strict=True)}
        )
        bands = {
            target: (reply.sure_lower[row], reply.sure_upper[row])
            for target, (reply, row) in zip(targets, replies, strict=True)
        }
        return GenerationResult(spectra, familiarity, references, notes, lines, bands)

    def _learned(self, source: _Source) -> tuple[str, ...]:
        """Says so when a sample is one that the model was trained on."""
        words = {w for s in source.spectra for w in (s.sample, *s.sample.split()) if w}
        named = words & self._known_samples
        return tuple(
            f"{name} is one of the samples that the model learned from: agreement with its "
            "measured spectra says nothing about other samples."
            for name in sorted(named)
        )

    def _references(self, replies: Sequence[tuple[Reply, int]]) -> tuple[Reference, ...]:
        """The heaviest training samples over all targets; their weights are shares of 1."""
        total = sum(np.asarray(reply.weights[row], dtype=float) for reply, row in replies)
        total = np.clip(total, 0, None)
        whole = total.sum() or 1.0
        order = np.argsort(-total, kind="stable")[:REFERENCES]
        return tuple(
            Reference(self.config.samples[i][1], self.config.samples[i][0], float(total[i] / whole))
            for i in order
            if total[i] > 0
        )

    def _generation(
        self,
        source: _Source,
        seed: int,
        familiarity: float,
        references: tuple[Reference, ...],
        notes: tuple[str, ...],
    ) -> Generation:
        described = tuple(
            " ".join(
                filter(None, (s.modality, PurePath(s.provenance.path).name or s.name,
                              s.provenance.sha256))
            )
            for s in source.spectra
        )  # fmt: skip
        return Generation(
            self.model_id, self.sha256, seed, self.device, described,
            source.formula.text if source.formula else None, familiarity, references,
            float(self.config.settings.get("coverage", 0.9)), notes,
        )  # fmt: skip

    def _spectrum(
        self,
        source: _Source,
        target: str,
        curves: tuple[np.ndarray, np.ndarray | None, np.ndarray | None],
        made: Generation,
    ) -> Spectrum:
        grid = self.config.grids[target]
        y, lower, upper = curves
        first = source.spectra[0] if source.spectra else None
        sample = (first.sample or first.name) if first else made.formula or ""
        return Spectrum(
            grid.x, y, modality=target, x_kind=grid.x_kind, x_unit=grid.x_unit,
            y_unit=YUnit.NORMALISED.value,
            name=f"{sample} {_label(target)} (generated)".strip(),
            sample=sample,
            formula=made.formula or (first.formula if first else None),
            wavelength=grid.wavelength, lower=lower, upper=upper, origin=Origin.GENERATED,
            provenance=Provenance(generation=made),
        )  # fmt: skip


def _mean(replicates: Sequence[Prepared]) -> Prepared:
    """The mean of several spectra of one modality where each was measured."""
    weight = np.sum([p.mask for p in replicates], axis=0)
    y = np.sum([p.y for p in replicates], axis=0) / np.maximum(weight, 1)
    top = y.max() or 1.0
    return Prepared(replicates[0].x, y / top, weight > 0, replicates[0].grid)


def _label(modality: str) -> str:
    return MODALITIES[modality].label if modality in MODALITIES else modality
