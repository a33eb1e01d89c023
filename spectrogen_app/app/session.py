"""Everything a user can change, as one immutable value; each edit returns a new one."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum

if TYPE_CHECKING:
    from spectrogen_app.app.decomposition import Decomposition

PALETTE = (
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2",
    "#7f7f7f", "#bcbd22",
)  # fmt: skip


def new_id() -> str:
    """A fresh identifier."""
    return uuid4().hex[:12]


@dataclass(frozen=True)
class Curve:
    """A spectrum in the session.

    Attributes
    ----------
    spectrum : Spectrum
    id : str
    visible : bool
    colour : str
        ``#rrggbb``.
    parents : tuple of str
        Curves it was processed or generated from.
    peaks : Decomposition or None
        Its peaks and the history of its fits.
    """

    spectrum: Spectrum
    id: str = field(default_factory=new_id)
    visible: bool = True
    colour: str = PALETTE[0]
    parents: tuple[str, ...] = ()
    peaks: Decomposition | None = None


@dataclass(frozen=True)
class Sample:
    """A material and its curves of all modalities.

    Attributes
    ----------
    name : str
    curves : tuple of Curve
    formula : str or None
    id : str
    """

    name: str
    curves: tuple[Curve, ...] = ()
    formula: str | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class SessionState:
    """All samples, in the order of the tree."""

    samples: tuple[Sample, ...] = ()

    def curves(self) -> Iterator[Curve]:
        """All curves, in the order of the tree."""
        return itertools.chain.from_iterable(sample.curves for sample in self.samples)

    def curve(self, curve_id: str) -> Curve:
        """The curve of that id.

        Raises
        ------
        KeyError
            No such curve.
        """
        return self._by_id[curve_id]

    @functools.cached_property
    def _by_id(self) -> dict[str, Curve]:
        return {curve.id: curve for curve in self.curves()}

    def sample(self, sample_id: str) -> Sample:
        """The sample of that id.

        Raises
        ------
        KeyError
            No such sample.
        """
        for sample in self.samples:
            if sample.id == sample_id:
                return sample
        raise KeyError(sample_id)

    def sample_of(self, curve_id: str) -> Sample:
        """The sample that holds the curve.

        Raises
        ------
        KeyError
            No such curve.
        """
        return self._homes[curve_id]

    @functools.cached_property
    def _homes(self) -> dict[str, Sample]:
        return {curve.id: sample for sample in self.samples for curve in sample.curves}

    def add(self, spectra: Sequence[Spectrum]) -> SessionState:
        """Add spectra, each to the sample of its name, or to a new one.

        A spectrum joins a sample only by :func:`sample_key`; without a sample name of its own its
        name, less what tells modalities apart, decides.
        """
        samples = list(self.samples)
        where = {sample_key(s.name): i for i, s in enumerate(samples)}
        colours = itertools.islice(itertools.cycle(PALETTE), len(list(self.curves())), None)
        for spectrum in spectra:
            name = spectrum.sample or spectrum.name or "Sample"
            curve = Curve(spectrum, colour=next(colours))
            at = where.setdefault(sample_key(name), len(samples))
            if at == len(samples):
                samples.append(Sample(name, (curve,), spectrum.formula))
            else:
                held = samples[at]
                samples[at] = dataclasses.replace(
                    held, curves=(*held.curves, curve), formula=held.formula or spectrum.formula
                )
        return SessionState(tuple(samples))

    def add_derived(
        self, sample_id: str, spectra: Sequence[Spectrum], parents: Iterable[str]
    ) -> SessionState:
        """Add processed, generated or fitted curves to a sample.

        A generated curve takes the place of an earlier one of the same modality and parents.
        """
        parents = tuple(parents)
        sample = self.sample(sample_id)
        replaced = {(s.modality, parents) for s in spectra if s.origin is Origin.GENERATED}
        kept = [
            c for c in sample.curves
            if not (c.spectrum.origin is Origin.GENERATED
                    and (c.spectrum.modality, c.parents) in replaced)
        ]  # fmt: skip
        used = len(list(self.curves()))
        new = [
            Curve(s, colour=PALETTE[(used + i) % len(PALETTE)], parents=parents)
            for i, s in enumerate(spectra)
        ]
        return self._with_sample(dataclasses.replace(sample, curves=(*kept, *new)))

    def remove(self, curve_ids: Collection[str]) -> SessionState:
        """Without these curves; a sample left empty goes too."""
        doomed = set(curve_ids)
        samples = (
            dataclasses.replace(s, curves=tuple(c for c in s.curves if c.id not in doomed))
            for s in self.samples
        )
        return SessionState(tuple(s for s in samples if s.curves))

    def edit_curve(self, curve_id: str, **changes: object) -> SessionState:
        """Change fields of one curve: ``spectrum``, ``visible``, ``colour``, ``peaks``."""
        sample = self.sample_of(curve_id)
        curves = tuple(
            dataclasses.replace(c, **changes) if c.id == curve_id else c  # type: ignore[arg-type]
            for c in sample.curves
        )
        return self._with_sample(dataclasses.replace(sample, curves=curves))

    def with_peaks(self, peaks: Mapping[str, Decomposition]) -> SessionState:
        """Change the peaks of several curves at once, by their ids."""

        def changed(sample: Sample) -> Sample:
            if not any(c.id in peaks for c in sample.curves):
                return sample
            curves = (
                dataclasses.replace(c, peaks=peaks[c.id]) if c.id in peaks else c
                for c in sample.curves
            )
            return dataclasses.replace(sample, curves=tuple(curves))

        return SessionState(tuple(map(changed, self.samples)))

    def show(self, curve_ids: Collection[str], visible: bool) -> SessionState:
        """Show or hide several curves at once."""
        chosen = set(curve_ids)

        def shown(sample: Sample) -> Sample:
            if not any(c.id in chosen and c.visible is not visible for c in sample.curves):
                return sample
            curves = (
                dataclasses.replace(c, visible=visible) if c.id in chosen else c
                for c in sample.curves
            )
            return dataclasses.replace(sample, curves=tuple(curves))

        return SessionState(tuple(map(shown, self.samples)))

    def edit_sample(self, sample_id: str, **changes: object) -> SessionState:
        """Change fields of one sample: ``name``, ``formula``."""
        return self._with_sample(
            dataclasses.replace(self.sample(sample_id), **changes)  # type: ignore[arg-type]
        )

    def move(self, curve_ids: Sequence[str], sample_id: str | None) -> SessionState:
        """Move curves to another sample; None makes a new one, named after the first curve."""
        curves = tuple(self.curve(i) for i in curve_ids)
        rest = self.remove(curve_ids)
        if sample_id is None:
            name = curves[0].spectrum.name or "Sample"
            return SessionState((*rest.samples, Sample(name, curves, curves[0].spectrum.formula)))
        target = self.sample(sample_id)
        kept = tuple(c for c in target.curves if c.id not in set(curve_ids))
        moved = dataclasses.replace(target, curves=(*kept, *curves))
        if all(s.id != sample_id for s in rest.samples):
            return SessionState((*rest.samples, moved))
        return rest._with_sample(moved)

    def _with_sample(self, sample: Sample) -> SessionState:
        return SessionState(tuple(sample if s.id == sample.id else s for s in self.samples))


_TECHNIQUE = re.compile(
    r"(?i)(?<![a-z])(raman|infra-?red|ft-?ir|atr|ir|powder|p?xrd|x-?ray|xray)(?![a-z])"
)


@functools.lru_cache(maxsize=1 << 15)
def sample_key(name: str) -> str:
    """What two names must share to be one sample: letters and digits, technique words left out.

    ``Calcite_R040070_Raman.txt`` and ``calcite R040070 (IR)`` are one sample.
    """
    bare = _TECHNIQUE.sub(" ", name.replace("_", " "))
    return re.sub(r"[\W_]+", " ", bare).strip().casefold() or name.casefold()
