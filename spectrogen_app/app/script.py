"""The way to a session's curves, as a Python script that anyone can run."""

from __future__ import annotations

import keyword
import pprint
import re
from collections.abc import Collection

from spectrogen_app import __version__
from spectrogen_app.app.session import Curve, SessionState
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum


def script(state: SessionState, curve_ids: Collection[str] | None = None) -> str:
    """A script that reads the sources, repeats steps and fits, and writes the curves as CSV.

    A curve whose source file is not known is named in a comment and left out.

    Parameters
    ----------
    state : SessionState
    curve_ids : collection of str, optional
        Default: every curve.
    """
    writer = _Writer(state)
    for curve in state.curves():
        if curve_ids is None or curve.id in curve_ids:
            writer.finish(curve)
    body = "\n".join(writer.lines) or "# There is nothing to do."
    head = f'"""Made by SpectroGen {__version__}: repeats what was done to each spectrum."""'
    imports = ["import spectrogen_app as sg"]
    if writer.fits:
        imports = ["from pathlib import Path", "", *imports,
                   "from spectrogen_app.fitting.model import Model",
                   "from spectrogen_app.fitting.report import write"]  # fmt: skip
    return "\n".join([head, "", *imports, "", body, ""])


class _Writer:
    def __init__(self, state: SessionState) -> None:
        self.lines: list[str] = []
        self._state = state
        self._names: dict[str, str | None] = {}
        self._models: dict[str, str] = {}
        self._taken: set[str] = set()
        self._reads: dict[str, str] = {}
        self.fits = False

    def finish(self, curve: Curve) -> None:
        name = self._name(curve)
        if name is not None:
            self.lines.append(f'sg.write({name}, "{name}.csv")')
            self._fit(curve, name)

    def _name(self, curve: Curve) -> str | None:
        """The variable that holds the curve, once the lines that make it are written."""
        if curve.id not in self._names:
            self._names[curve.id] = self._make(curve)
        return self._names[curve.id]

    def _make(self, curve: Curve) -> str | None:
        spectrum = curve.spectrum
        if spectrum.origin is Origin.GENERATED and spectrum.provenance.generation is not None:
            return self._generate(curve)
        if not spectrum.provenance.path:
            self.lines.append(f"# {spectrum.name or curve.id}: its source file is not known.")
            return None
        name = self._read(spectrum)
        if not spectrum.provenance.steps:
            return name
        stepped = self._fresh(f"{name}_processed")
        self.lines.append(f"{stepped} = sg.process({name}, {list(spectrum.provenance.steps)!r})")
        return stepped

    def _fit(self, curve: Curve, name: str) -> None:
        """The curve's fit again, from where it ended."""
        result = curve.peaks.result if curve.peaks is not None else None
        if result is None:
            return
        fitted = self._fresh(f"{name}_fit")
        if result.spectrum.y_unit != curve.spectrum.y_unit:
            self.lines.append(f"# {fitted}: fitted as {result.spectrum.y_unit}.")
            return
        o = result.options
        weights = o.weights if o.sigma is None else list(o.sigma)
        model = pprint.pformat(result.model.to_dict(), indent=1, width=98, compact=True)
        self.lines.append(
            f"{fitted} = sg.fit({name}, Model.from_dict(\n{model}\n), weights={weights!r}, "
            f"loss={o.loss!r}, exclude={o.exclude!r}, within={o.within!r})\n"
            f'write({fitted}, Path(), "{name}")'
        )
        self.fits = True

    def _read(self, spectrum: Spectrum) -> str:
        source = spectrum.provenance
        picked = list(source.mean_of or [source.index])
        given = {"pick": picked, "sha256": source.sha256, **source.reading}
        options = "".join(f", {key}={value!r}" for key, value in given.items() if value != "")
        call = f"sg.read({source.path!r}{options})"
        call = f"sg.mean({call})" if source.mean_of else f"{call}[0]"
        if call not in self._reads:
            self._reads[call] = self._fresh(
                f"{spectrum.sample or spectrum.name}_{spectrum.modality}"
            )
            self.lines.append(f"{self._reads[call]} = {call}")
        return self._reads[call]

    def _generate(self, curve: Curve) -> str | None:
        made = curve.spectrum.provenance.generation
        assert made is not None
        held = {c.id: c for c in self._state.curves()}
        parents = [self._name(held[i]) for i in curve.parents if i in held]
        if not parents or None in parents or len(parents) < len(curve.parents):
            self.lines.append(f"# {curve.spectrum.name or curve.id}: a source is not here.")
            return None
        if made.model_id not in self._models:
            self._models[made.model_id] = self._fresh("model")
            self.lines.append(f"{self._models[made.model_id]} = sg.load_model({made.model_id!r})")
        target = curve.spectrum.modality
        name = self._fresh(f"{parents[0]}_generated_{target}")
        self.lines.append(
            f"{name} = {self._models[made.model_id]}.generate(\n"
            f"    [{', '.join(p for p in parents if p)}], targets=[{target!r}], "
            f"formula={made.formula!r}, seed={made.seed}\n)[{target!r}]"
        )
        return name

    def _fresh(self, wish: str) -> str:
        stem = re.sub(r"\W+", "_", wish.casefold(), flags=re.ASCII).strip("_") or "spectrum"
        if stem[0].isdigit() or keyword.iskeyword(stem):
            stem = f"s_{stem}"
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}_{count}"
        self._taken.add(name)
        return name
