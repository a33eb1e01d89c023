"""A model that answers at once, and the command line as a function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spectrogen_app.app import services
from spectrogen_app.cli import generate, selftest
from spectrogen_app.cli.main import main
from spectrogen_app.data.provenance import Generation, Origin, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import GenerationError, SpectrogenError
from spectrogen_app.generation.result import GenerationResult
from spectrogen_app.processing.scoring import GRIDS

INFO = SimpleNamespace(model_id="fake", sha256="0" * 64)


class FakeModel:
    """Answers a bump; refuses spectra named ``bad``."""

    model_id, device, device_label, device_reason = "fake", "cpu", "CPU", "It was asked for."

    def __init__(self) -> None:
        self.calls: list[int] = []

    def generate(self, spectra, targets, formula=None, seed=0, check=None) -> GenerationResult:
        (answer,) = self.generate_many([spectra], targets, [formula], seed)
        if isinstance(answer, SpectrogenError):
            raise answer
        return answer

    def generate_many(self, samples, targets, formulas=(), seed=0, check=None):
        self.calls.append(len(samples))
        return [self._one(s, targets, f, seed) for s, f in zip(samples, formulas, strict=True)]

    def _one(self, spectra: Sequence[Spectrum], targets, formula, seed):
        if any("bad" in s.name for s in spectra):
            return GenerationError("There is nothing like it.", hint="Try another.")
        references = (Reference("Quartz", "R040031", 1.0),)
        made = Generation(
            "fake", INFO.sha256, seed, "cpu",
            tuple(f"{s.modality} {s.name} {s.provenance.sha256}" for s in spectra),
            formula, 0.9, references,
        )  # fmt: skip
        out = {}
        for target in targets:
            grid = GRIDS[target]
            y = np.exp(-(((grid.x - grid.x.mean()) / 20) ** 2))
            out[target] = Spectrum(
                grid.x, y, modality=target, y_unit="normalised", lower=y - 0.1, upper=y + 0.1,
                name=f"{spectra[0].name} {target} (generated)", origin=Origin.GENERATED,
                wavelength=grid.wavelength, provenance=Provenance(generation=made),
            )  # fmt: skip
        return GenerationResult(out, 0.9, references, (), {})


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """The model that the commands find."""
    fake = FakeModel()
    monkeypatch.setattr(services, "_model", lambda *_: fake)
    for module in (generate, selftest):
        monkeypatch.setattr(module, "find_model", lambda _=None: INFO)
    return fake


@dataclass
class FakeDesktop:
    """Remembers what it was asked for."""

    opened: list[tuple[list[Path], list[str]]] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)

    def run(self, files: Sequence[Path], targets: Sequence[str]) -> int:
        self.opened.append((list(files), list(targets)))
        return 0

    def check(self, picture: Path | None) -> str:
        return "made and destroyed"

    def picture(self, title: str, panels: Sequence[Sequence[Spectrum]], path: Path) -> None:
        self.pictures.append(path)


@pytest.fixture
def desktop() -> FakeDesktop:
    """In place of the window."""
    return FakeDesktop()


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(desktop: FakeDesktop, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process."""

    def run(*arguments: object) -> Ran:
        code = main([str(a) for a in arguments], desktop)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run
