"""``spectrogen generate``: spectra of other modalities, one CSV per spectrum and target."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import (
    BATCH_SIZE,
    ExportRequest,
    GenerateManyRequest,
    LoadRequest,
    export,
    find_model,
    generate_many,
    load_each,
)
from spectrogen_app.app.session import sample_key
from spectrogen_app.cli.console import note, print_json, progress
from spectrogen_app.cli.desktop import Desktop
from spectrogen_app.cli.main import FAILED, OK, one_line
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, FormulaError, SpectrogenError

if TYPE_CHECKING:
    from spectrogen_app.generation.result import GenerationResult

DESCRIPTION = """\
Generate spectra of other modalities. Each spectrum gives one CSV per target, called
NAME.TARGET.csv; when two sources share a name, part of the source's SHA-256 is added. The formula
is taken from the file's header where there is one. What was generated before by the same model from
the same source, formula and seed is left as it is. A file that fails does not stop the others;
exit code 1 if any failed."""
EXAMPLES = """\
examples:
  spectrogen generate calcite_raman.txt --to ir --to xrd --out generated
  spectrogen generate raman/ --to ir --formula CaCO3 --out generated --json
  spectrogen generate calcite_raman.txt calcite_ir.txt --combine --to xrd --out generated
"""


TARGETS = [name for name in MODALITIES if name != "unknown"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file, folder or zip")
    parser.add_argument(
        "--to", action="append", required=True, choices=TARGETS, metavar="MODALITY",
        help=f"what to generate: {', '.join(TARGETS)}; may be repeated",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    formula = parser.add_mutually_exclusive_group()
    formula.add_argument("--formula", type=_formula, metavar="F", help="such as CaCO3, for all")
    formula.add_argument(
        "--no-formula", action="store_true", help="do not use the formula in the file's header"
    )
    parser.add_argument(
        "--from", dest="source", choices=TARGETS, metavar="MODALITY",
        help="take every file for this modality, whatever it looks like",
    )  # fmt: skip
    parser.add_argument(
        "--combine", action="store_true",
        help="use all modalities of one sample together; files are matched by name",
    )  # fmt: skip
    add_model_arguments(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument("--force", action="store_true", help="generate again what is there")
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--model`` and ``--device``."""
    parser.add_argument("--model", metavar="ID", help="see spectrogen models; default: the first")
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), metavar="DEVICE",
        help="auto, cpu, cuda or mps; default: auto",
    )  # fmt: skip


def _formula(text: str) -> str:
    from spectrogen_app.data.formula import parse_formula

    try:
        parse_formula(text)
    except FormulaError as error:
        raise argparse.ArgumentTypeError(one_line(error)) from error
    return text


@dataclass(frozen=True)
class Work:
    """One sample to generate from.

    Attributes
    ----------
    spectra : tuple of Spectrum
    name : str
        What its outputs are called.
    formula : str or None
    targets : tuple of str
    """

    spectra: tuple[Spectrum, ...]
    name: str
    formula: str | None
    targets: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The source files, for people."""
        return ", ".join(dict.fromkeys(s.provenance.path or s.name for s in self.spectra))

    @property
    def key(self) -> str:
        """What tells two works of one name apart."""
        return "".join(f"{s.provenance.sha256}{s.provenance.index}" for s in self.spectra)


@dataclass
class _Run:
    """What is done with each work, and what became of it."""

    args: argparse.Namespace
    model: tuple[str, str]
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    def fail(self, source: str, error: BaseException, target: str | None = None) -> None:
        self._add(source, target, "failed", error=one_line(error))
        note(f"spectrogen generate: {source}: {one_line(error)}")

    def _add(self, source: str, target: str | None, status: str, **more: Any) -> None:
        self.outcomes.append({"file": source, "target": target, "status": status, **more})

    def due(self, work: Work) -> Work:
        """The work less what is already there."""
        targets = []
        own = {s.modality for s in work.spectra}
        for target in work.targets:
            path = self._place(work, target)
            if own == {target}:
                self._add(work.source, target, "skipped", reason=f"the source is {target} itself")
            elif not self.args.force and path.exists() and self._made(path, work):
                self._add(work.source, target, "skipped", out=str(path), reason="already there")
            else:
                targets.append(target)
        return replace(work, targets=tuple(targets))

    def _place(self, work: Work, target: str) -> Path:
        """Where the output goes; the same place at every run, and no other source's."""
        plain = self.args.out / f"{work.name}.{target}.csv"
        holder = self.taken.setdefault(str(plain).casefold(), work.key)
        if holder == work.key and (not plain.exists() or self._is_from(plain, work)):
            return plain
        from hashlib import sha256

        digest = sha256(work.key.encode()).hexdigest()[:8]
        return self.args.out / f"{work.name}-{digest}.{target}.csv"

    @staticmethod
    def _is_from(path: Path, work: Work) -> bool:
        made = _generation(path)
        listed = " ".join(made.sources) if made else ""
        return bool(made) and all(s.provenance.sha256 in listed for s in work.spectra)

    def _made(self, path: Path, work: Work) -> bool:
        made = _generation(path)
        wanted = (*self.model, self.args.seed, work.formula)
        return (
            made is not None
            and (made.model_id, made.model_sha256, made.seed, made.formula) == wanted
        )

    def write(self, work: Work, result: GenerationResult, token: Token) -> None:
        for target in work.targets:
            path = self._place(work, target)
            try:
                export(ExportRequest((result[target],), path), token)
            except Cancelled:
                raise
            except SpectrogenError as error:
                self.fail(work.source, error, target)
                continue
            self._add(
                work.source, target, "written", out=str(path), formula=work.formula,
                familiarity=result.familiarity, notes=list(result.notes),
                references=[
                    {"mineral": r.mineral, "id": r.sample_id, "weight": r.weight}
                    for r in result.references
                ],
            )  # fmt: skip


def _generation(path: Path) -> Any:
    """How the spectrum in the file was generated; None when it is no such file."""
    from spectrogen_app.io.registry import read

    try:
        return read(path)[0].provenance.generation
    except SpectrogenError:
        return None


def run(args: argparse.Namespace, desktop: Desktop) -> int:
    """Run the command."""
    bundle = find_model(args.model)
    doing = _Run(args, (bundle.model_id, bundle.sha256))
    with progress("Generating") as token:
        batch: list[Work] = []
        for work in _works(args, doing, token):
            pending = doing.due(work)
            if pending.targets:
                batch.append(pending)
            if len(batch) >= BATCH_SIZE:
                _generate(batch, doing, token)
                batch = []
        _generate(batch, doing, token)
    if not doing.outcomes:
        doing.fail(", ".join(map(str, args.paths)), SpectrogenError("No spectra were found there."))
    _report(doing.outcomes, args.json)
    return FAILED if any(o["status"] == "failed" for o in doing.outcomes) else OK


def _works(args: argparse.Namespace, doing: _Run, token: Token) -> Iterator[Work]:
    """One work per spectrum, or per sample with ``--combine``."""
    targets = tuple(dict.fromkeys(args.to))
    together: dict[str, list[Spectrum]] = {}
    for verdict in load_each(LoadRequest(tuple(args.paths)), token):
        if verdict.error is not None:
            doing.fail(str(verdict.path), verdict.error)
            continue
        for index, found in enumerate(verdict.spectra):
            spectrum = taken_for(found, args.source) if args.source else found
            if args.combine:
                name = spectrum.sample or spectrum.name
                together.setdefault(sample_key(name), []).append(spectrum)
                continue
            name = verdict.path.stem + (f"-{index + 1}" if len(verdict.spectra) > 1 else "")
            formula = _formula_for([spectrum], args)
            yield Work((spectrum,), file_name(name), formula, targets)
    for spectra in together.values():
        name = file_name(spectra[0].sample or spectra[0].name)
        yield Work(tuple(spectra), name, _formula_for(spectra, args), targets)


def taken_for(spectrum: Spectrum, modality: str) -> Spectrum:
    """The spectrum as another modality, on that modality's usual axis."""
    return spectrum.replace(modality=modality, x_kind=None, x_unit="", y_unit="")


def _formula_for(spectra: Sequence[Spectrum], args: argparse.Namespace) -> str | None:
    if args.formula or args.no_formula:
        return args.formula
    return formula_of(spectra)


def formula_of(spectra: Sequence[Spectrum]) -> str | None:
    """The formula in a header, when it parses; says so when it does not."""
    from spectrogen_app.data.formula import parse_formula

    for text in dict.fromkeys(s.formula for s in spectra if s.formula):
        try:
            parse_formula(text)
        except FormulaError as error:
            note(f"{spectra[0].name}: the header's formula is not used: {one_line(error)}")
        else:
            return text
    return None


def file_name(name: str) -> str:
    """A name that every file system takes."""
    safe = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", name).strip(" .")
    return safe[:120] or "spectrum"


def _generate(batch: Sequence[Work], doing: _Run, token: Token) -> None:
    by_targets: dict[tuple[str, ...], list[Work]] = {}
    for work in batch:
        by_targets.setdefault(work.targets, []).append(work)
    quiet = Token()
    for targets, works in by_targets.items():
        request = GenerateManyRequest(
            tuple(w.spectra for w in works), targets, tuple(w.formula for w in works),
            doing.args.seed, doing.args.model, doing.args.device,
        )  # fmt: skip
        for work, answer in zip(works, generate_many(request, quiet), strict=True):
            if isinstance(answer, SpectrogenError):
                doing.fail(work.source, answer)
            else:
                doing.write(work, answer, quiet)


def _report(outcomes: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(outcomes)
        return
    for one in outcomes:
        if one["status"] == "written":
            best = one["references"][0] if one["references"] else None
            leaning = f", nearest {best['mineral']} {best['id']}" if best else ""
            print(f"{one['out']}: familiarity {one['familiarity']:.2f}{leaning}")
            for sentence in one["notes"]:
                print(f"  note: {sentence}")
        elif one["status"] == "skipped":
            print(f"{one.get('out') or one['file']}: skipped, {one['reason']}")
    counts = [sum(o["status"] == s for o in outcomes) for s in ("written", "skipped", "failed")]
    print(f"{counts[0]} written, {counts[1]} skipped, {counts[2]} failed")
