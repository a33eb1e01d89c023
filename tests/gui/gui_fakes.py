"""A stand-in for the model, made-up spectra, and small helpers of the window's tests."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from spectrogen_app.app.jobs import Token
from spectrogen_app.app.services import GenerateRequest, WarmRequest, Warmth
from spectrogen_app.app.session import Curve
from spectrogen_app.data.provenance import Generation, Origin, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.generation.bundle import ModelInfo
from spectrogen_app.generation.result import GenerationResult
from spectrogen_app.gui.main_window import MainWindow
from spectrogen_app.processing.scoring import GRIDS

REFERENCES = (
    Reference("Calcite", "R040070", 0.62),
    Reference("Siderite", "R050262", 0.21),
    Reference("Dolomite", "R050357", 0.09),
)
PEAKS = {
    "raman": ((282, 0.4, 5), (712, 0.25, 4), (1086, 1.0, 4)),
    "ir": ((712, 0.3, 8), (873, 0.85, 10), (1410, 1.0, 45)),
    "xrd": ((23.1, 0.1, 0.08), (29.4, 1.0, 0.1), (39.4, 0.25, 0.1), (48.5, 0.2, 0.12)),
}
MODEL = ModelInfo(
    "fake-1", "Fake model 1", Path("fake-1"), ("raman", "ir", "xrd", "formula"),
    ("raman", "ir", "xrd"), "0" * 64, "# Fake model 1\n\nFor tests only.", {}, 0, True,
)  # fmt: skip


def generated(modality: str, seed: int, formula: str | None, device: str = "cpu") -> Spectrum:
    """Lorentzian lines of calcite with a band, on the scoring grid."""
    x = GRIDS[modality].x
    y = sum(h / (1 + ((x - c) / w) ** 2) for c, h, w in PEAKS[modality])
    y = np.asarray(y) / np.max(y)
    made = Generation(
        "fake-1", "0" * 64, seed, device, ("raman",), formula, 0.83, REFERENCES,
        notes=("The source ends at 1100 cm-1; the model would like 1300.",),
    )  # fmt: skip
    return Spectrum(
        x, y, modality=modality, y_unit="normalised", name="Calcite", lower=y * 0.8 - 0.02,
        upper=y * 1.05 + 0.04, origin=Origin.GENERATED, wavelength=GRIDS[modality].wavelength,
        provenance=Provenance(generation=made),
    )  # fmt: skip


def generate(request: GenerateRequest, token: Token) -> GenerationResult:
    """As :func:`spectrogen_app.app.services.generate`."""
    token.check(0.5, "Generating")
    spectra = {t: generated(t, request.seed, request.formula) for t in request.targets}
    return GenerationResult(spectra, 0.83, REFERENCES, (), {})


def warm(_request: WarmRequest, token: Token) -> Warmth:
    """As :func:`spectrogen_app.app.services.warm_model`."""
    token.check(0.0, "Loading the model")
    return Warmth("fake-1", "cpu", "CPU", "No GPU was found.")


class SlowJob:
    """A job that runs until it is released or cancelled."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.release = threading.Event()
        self.ended = threading.Event()

    def __call__(self, request: object, token: Token) -> object:
        self.running.set()
        try:
            while not self.release.wait(0.005):
                token.check(0.3, "Working")
            return request
        finally:
            self.ended.set()


def lines(modality: str, *peaks: tuple[float, float, float], **fields: object) -> Spectrum:
    """Lorentzian lines of (centre, height, half width) on a plausible axis."""
    start, stop, n = {"raman": (100, 1400, 2600), "ir": (400, 4000, 1868),
                      "xrd": (5, 90, 8501)}[modality]  # fmt: skip
    x = np.linspace(start, stop, n)
    y = sum((h / (1 + ((x - c) / w) ** 2) for c, h, w in peaks), np.zeros(n))
    return Spectrum(x, y, modality=modality, **{"name": "Calcite", "sample": "Calcite", **fields})


def curve_of(
    window: MainWindow, modality: str, origin: Origin = Origin.MEASURED, at: int = 0
) -> Curve:
    """The curve of a modality and origin."""
    return [
        c for c in window.store.state.curves()
        if c.spectrum.modality == modality and c.spectrum.origin is origin
    ][at]  # fmt: skip
