"""SpectroGen: see, decompose and generate Raman, infrared and powder-diffraction spectra.

>>> import spectrogen_app as sg
>>> raman = sg.read("quartz_raman.csv")[0]
>>> out = sg.load_model().generate(raman, targets=["ir", "xrd"])
>>> sg.write(out["ir"], "quartz_ir.csv")

Names are loaded at first use: importing the package loads neither torch nor Qt.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectrogen_app.data.axis import XKind, YUnit
    from spectrogen_app.data.provenance import Origin, Provenance, Reference
    from spectrogen_app.data.spectrum import Spectrum
    from spectrogen_app.errors import SpectrogenError
    from spectrogen_app.fitting.api import fit
    from spectrogen_app.generation.bundle import list_models, load_model
    from spectrogen_app.generation.result import GenerationResult
    from spectrogen_app.io.registry import read, write
    from spectrogen_app.processing.mean import mean
    from spectrogen_app.processing.pipeline import apply as process
    from spectrogen_app.processing.scoring import score

__version__ = "0.1.0"
HOMEPAGE = "https://spectrogen.github.io"
RELEASES = f"{HOMEPAGE}/releases"

_WHERE = {
    "process": "processing.pipeline:apply",
    "Spectrum": "data.spectrum",
    "XKind": "data.axis",
    "YUnit": "data.axis",
    "Origin": "data.provenance",
    "Provenance": "data.provenance",
    "Reference": "data.provenance",
    "SpectrogenError": "errors",
    "GenerationResult": "generation.result",
    "fit": "fitting.api",
    "list_models": "generation.bundle",
    "load_model": "generation.bundle",
    "mean": "processing.mean",
    "read": "io.registry",
    "score": "processing.scoring",
    "write": "io.registry",
}

__all__ = [
    "GenerationResult", "Origin", "Provenance", "Reference", "SpectrogenError", "Spectrum", "XKind",
    "YUnit", "__version__", "fit", "list_models", "load_model", "mean",
    "process", "read", "score", "write",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    value = getattr(import_module(f"{__name__}.{module}"), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
