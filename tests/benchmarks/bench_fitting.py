"""Speed and truth of the fitting layer, beside lmfit and Fityk, in one run.

    python tests/benchmarks/bench_fitting.py [--data FOLDER] [--only NAME ...]

Fityk is used where ``cfityk`` is installed (Debian package ``fityk``); measured spectra where
``--data`` names the folder that holds ``rruff/raman_excellent_unoriented.zip`` and
``rruff/powder_xy_processed.zip``. One line per number, with its budget.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lmfit
import numpy as np
from lmfit.models import LorentzianModel, VoigtModel

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import FitError
from spectrogen_app.fitting.api import fit, fit_lines, fit_model, mend
from spectrogen_app.fitting.batch import fit_many
from spectrogen_app.fitting.guess import candidates, noise
from spectrogen_app.fitting.model import Background, Model, Peak
from spectrogen_app.fitting.preview import Preview
from spectrogen_app.fitting.result import FitResult

FITYK = shutil.which("cfityk")


def best_of(n: int, work: Callable[[], object]) -> float:
    """Shortest of n runs, s."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def made_up(seed: int, *, n: int = 2000, snr: float = 50, most: int = 20,
            shapes: tuple[str, ...] = ("gaussian", "lorentzian", "pseudo_voigt"),
            ) -> tuple[Spectrum, Model]:  # fmt: skip
    """3 to ``most`` peaks at least 0.8 FWHM apart, 0.2 to 1 high, with white noise."""
    rng = np.random.default_rng(seed)
    x = np.linspace(100, 1300, n)
    wanted = int(rng.integers(3, most + 1))
    peaks: list[Peak] = []
    while len(peaks) < wanted:
        c, w, h = rng.uniform(130, 1270), rng.uniform(6, 25), rng.uniform(0.2, 1)
        if all(abs(c - p.center) > 0.8 * max(w, p.fwhm) for p in peaks):
            extra = {"eta": rng.uniform(0.1, 0.9)}
            shape = str(rng.choice(shapes))
            peaks.append(Peak.make(shape, c, h, w, **(extra if shape == "pseudo_voigt" else {})))
    model = Model(tuple(peaks))
    clean = model.evaluate(x)
    y = clean + rng.normal(0, clean.max() / snr, n)
    return Spectrum(x, y, modality="raman", name=f"made up {seed}"), model


def shaken(model: Model, rng: np.random.Generator) -> Model:
    """A start near the truth."""
    for p in model.peaks:
        model = model.with_peak(p.moved(
            center=p.center + rng.uniform(-0.2, 0.2) * p.fwhm,
            height=p.height * rng.uniform(0.7, 1.3),
            fwhm=p.fwhm * rng.uniform(0.7, 1.3),
        ))  # fmt: skip
    return model


_FITYK_SHAPE = {
    "gaussian": "Gaussian(~{h!r}, ~{c!r}, ~{w!r})",
    "lorentzian": "Lorentzian(~{h!r}, ~{c!r}, ~{w!r})",
    "pseudo_voigt": "PseudoVoigt(~{h!r}, ~{c!r}, ~{w!r}, ~{e!r})",
}


def fityk(
    spectrum: Spectrum, model: Model, folder: Path, *, exact: bool = False
) -> tuple[float, float, float]:
    """Sum of squares that Fityk reaches, the time of its whole call and of its fit, s."""
    data = folder / "data.xy"
    np.savetxt(data, np.c_[spectrum.x, spectrum.y], fmt="%.17g")
    lines = [f"@0 < '{data}'", "@0: S=1", "set numeric_format='%.17g'"]
    if exact:
        lines += ["set lm_stop_rel_change=1e-12", "set max_wssr_evaluations=5000"]
    for p in model.peaks:
        eta = p["eta"].value if p.shape == "pseudo_voigt" else 0.0
        text = _FITYK_SHAPE[p.shape].format(h=p.height, c=p.center, w=p.fwhm / 2, e=eta)
        lines.append(f"F += {text}")
    script = folder / "run.fit"
    script.write_text("\n".join([*lines, "fit", "info fit", ""]), encoding="utf-8")
    start = time.perf_counter()
    done = subprocess.run([str(FITYK), "-n", "-I", str(script)], capture_output=True, text=True,
                          check=False)  # fmt: skip
    seconds = time.perf_counter() - start
    found = re.findall(r"^WSSR=(\S+)", done.stdout, re.MULTILINE)
    own = re.findall(r"evaluations, (\S+) s\. of CPU", done.stdout)
    return (float(found[-1]) if found else float("nan")), seconds, float(own[-1]) if own else 0.0


def say(what: str, value: object, budget: str = "") -> None:
    """One line of the table."""
    print(f"{what:<62} {value!s:>14}  {budget}", flush=True)


def agreement() -> None:
    """The same chi-square as Fityk."""
    if FITYK is None:
        say("same chi-square as Fityk", "no cfityk here")
        return
    worse = better = same = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(200):
            spectrum, truth = made_up(seed)
            start = shaken(truth, np.random.default_rng(seed + 10**6))
            for name, _ in list(start.parameters()):
                if name.endswith("_eta"):
                    start = start.edit(name, min=-np.inf, max=np.inf)
            ours = fit_model(spectrum, start).chisqr
            theirs, _, _ = fityk(spectrum, start, Path(folder), exact=True)
            apart = ours / theirs - 1
            same += abs(apart) <= 1e-6
            worse += apart > 1e-6
            better += apart < -1e-6
    say("chi-square within 1e-6 of Fityk's, of 200", same, "budget: 200, or lower than Fityk's")
    say("  lower than Fityk's", better)
    say("  higher than Fityk's", worse, "budget: 0")


def lorentzians() -> None:
    """20 Lorentzians on 4,000 points."""
    rng = np.random.default_rng(0)
    x, centers = np.linspace(0, 1000, 4000), np.linspace(100, 900, 20)
    truth = Model(tuple(Peak.make("lorentzian", c, h, w) for c, h, w in
                        zip(centers, rng.uniform(0.5, 2, 20), rng.uniform(5, 15, 20),
                            strict=True)))  # fmt: skip
    spectrum = Spectrum(x, truth.evaluate(x) + rng.normal(0, 0.01, x.size), modality="raman")
    start = Model(tuple(Peak.make("lorentzian", c + 1, 1, 6) for c in centers))
    ours = best_of(7, lambda: fit_model(spectrum, start))
    say("20 Lorentzians, 4,000 points: ours, ms", round(1e3 * ours, 1))
    if FITYK:
        with tempfile.TemporaryDirectory() as folder:
            runs = [fityk(spectrum, start, Path(folder)) for _ in range(7)]
        own = min(r[2] for r in runs)
        say("  Fityk's whole call, ms", round(1e3 * min(r[1] for r in runs), 1), "not faster")
        say("  Fityk's own count of CPU time, ms", round(1e3 * own, 1))
        say("  chi-square less Fityk's, relative",
            f"{fit_model(spectrum, start).chisqr / runs[0][0] - 1:.1e}")  # fmt: skip
    model = LorentzianModel(prefix="p0_")
    for i in range(1, 20):
        model += LorentzianModel(prefix=f"p{i}_")
    params = lmfit.Parameters()
    for i, c in enumerate(centers):
        params += LorentzianModel(prefix=f"p{i}_").make_params(
            center=c + 1, amplitude=np.pi * 3, sigma=3
        )
    theirs = best_of(2, lambda: model.fit(spectrum.y, params, x=x))
    say("  lmfit.Model.fit, ms", round(1e3 * theirs, 1))
    say("  times faster than lmfit.Model.fit", round(theirs / ours, 1), "budget: 30")


def voigts() -> None:
    """10 Voigts with free gamma on 2,000 points."""
    rng = np.random.default_rng(0)
    x, centers = np.linspace(0, 1000, 2000), np.linspace(100, 900, 10)
    truth = Model(tuple(
        Peak.make("voigt", c, h, 1, fwhm_gauss=g, fwhm_lorentz=w)
        for c, h, g, w in zip(centers, rng.uniform(0.5, 2, 10), rng.uniform(8, 16, 10),
                              rng.uniform(8, 16, 10), strict=True)))  # fmt: skip
    spectrum = Spectrum(x, truth.evaluate(x) + rng.normal(0, 0.01, x.size), modality="raman")
    start = Model(tuple(Peak.make("voigt", c + 1, 1, 18) for c in centers))
    ours = best_of(7, lambda: fit_model(spectrum, start))
    model = VoigtModel(prefix="p0_")
    for i in range(1, 10):
        model += VoigtModel(prefix=f"p{i}_")
    params = lmfit.Parameters()
    for i, c in enumerate(centers):
        own = VoigtModel(prefix=f"p{i}_").make_params(center=c + 1, amplitude=20, sigma=5)
        own[f"p{i}_gamma"].set(value=5, vary=True, expr="", min=0)
        params += own
    theirs = best_of(2, lambda: model.fit(spectrum.y, params, x=x))
    say("10 Voigts, 2,000 points: ours, ms", round(1e3 * ours, 1))
    say("  lmfit.Model.fit, ms", round(1e3 * theirs, 1))
    say("  times faster than lmfit.Model.fit", round(theirs / ours, 1), "budget: 20")


def dragging() -> None:
    """Updates a second with 20 peaks on 4,000 points."""
    x = np.linspace(0, 1000, 4000)
    for shape in ("lorentzian", "pseudo_voigt", "voigt"):
        model = Model(tuple(Peak.make(shape, c, 1, 8) for c in np.linspace(100, 900, 20)))
        preview = Preview(x)
        preview.update(model)

        def drag(model: Model = model, preview: Preview = preview) -> None:
            for i in range(100):
                preview.update(model.with_peak(model.peaks[7].moved(center=400 + 0.1 * i)))

        say(f"previews a second, 20 {shape}, 4,000 points", round(100 / best_of(3, drag)),
            "budget: 60")  # fmt: skip


def real(data: Path, count: int = 300, seed: int = 7) -> None:
    """Automatic decomposition of measured Raman spectra."""
    spectra = raman(data, count, seed)
    squares, times, work, peaks = [], [], [], []
    warned, kinds = 0, Counter[str]()
    for spectrum in spectra:
        start, busy = time.perf_counter(), time.process_time()
        try:
            result = fit(spectrum)
        except FitError as error:
            warned, kinds[str(error.message)] = warned + 1, kinds[str(error.message)] + 1
            squares.append(0.0)
            continue
        times.append(time.perf_counter() - start)
        work.append(time.process_time() - busy)
        squares.append(result.r_squared)
        warned += bool(result.advice)
        kinds.update(a.kind for a in result.advice)
        peaks.append(len(result.peaks))
    say(f"{len(spectra)} measured Raman spectra: median R2", round(float(np.median(squares)), 5),
        "budget: 0.995")  # fmt: skip
    say("  without warning, %", round(100 * (1 - warned / len(spectra)), 1), "budget: 95")
    say("  median time, s", round(float(np.median(times)), 3), "budget: 0.3")
    say("  median of processor time, s", round(float(np.median(work)), 3))
    say("  95 % of them within, s", round(float(np.percentile(times, 95)), 3))
    say("  median number of peaks", float(np.median(peaks)))
    if kinds:
        say("  warnings", dict(kinds))


def raman(data: Path, count: int, seed: int) -> list[Spectrum]:
    """That many spectra of the archive, chosen by the seed."""
    archive = zipfile.ZipFile(data / "rruff" / "raman_excellent_unoriented.zip")
    names = sorted(n for n in archive.namelist() if n.endswith(".txt"))
    random.Random(seed).shuffle(names)
    spectra = (s for n in names if (s := member(archive, n, "raman")) is not None)
    return list(itertools.islice(spectra, count))


def member(archive: zipfile.ZipFile, name: str, modality: str) -> Spectrum | None:
    """A spectrum of an archive; None when it has hardly any points."""
    rows = re.findall(
        r"^\s*(-?[\d.]+)\s*,\s*(-?[\d.]+(?:[eE][-+]?\d+)?)\s*$",
        archive.read(name).decode("latin-1"), re.MULTILINE,
    )[1:-1]  # fmt: skip
    if len(rows) <= 50:
        return None
    x, y = np.array(rows, dtype=float).T
    return Spectrum(x, y, modality=modality, name=Path(name).name)


def powder(data: Path) -> None:
    """A line list on measured powder patterns, and a poor fit of it mended.

    The list holds the 60 highest maxima of another sample of the same mineral.
    """
    archive = zipfile.ZipFile(data / "rruff" / "powder_xy_processed.zip")
    for mineral in ("Fluorite", "Diopside", "Topaz", "Epidote", "Orthoclase", "Tremolite"):
        names = sorted(n for n in archive.namelist() if Path(n).name.startswith(f"{mineral}__"))
        measured, other = (member(archive, n, "xrd") for n in names[:2])
        assert measured is not None
        assert other is not None
        found = noise(other.y)
        places = candidates(other.x, other.y, found.sigma, found.reach)[:60]
        lines = Model(tuple(Peak.make("pseudo_voigt", *p).edit("height", min=0.0) for p in places))
        start = time.perf_counter()
        result = fit_lines(measured, lines)
        say(f"lines of {mineral}, {len(lines.peaks)} on {len(measured)} points, s",
            round(time.perf_counter() - start, 2), "budget: 2")  # fmt: skip
        say("  R2, warnings", f"{result.r_squared:.4f} {len(result.advice)}")
        under = Background.make("linear", measured.x, measured.y)
        start = time.perf_counter()
        poor = fit_model(measured, lines.replace(background=under))
        say("  as they are, s", round(time.perf_counter() - start, 2))
        say("  R2, warnings", f"{poor.r_squared:.4f} {len(poor.advice)}")
        start = time.perf_counter()
        mended = mend(poor)
        say("  mended, s", round(time.perf_counter() - start, 2), "budget: 2")
        say("  R2, warnings", f"{mended.r_squared:.4f} {len(mended.advice)}")


def found_peaks(count: int = 200) -> None:
    """F1 of automatic peaks against the truth at SNR 50, within half a FWHM."""
    true = found = right = warned = 0
    for seed in range(count):
        spectrum, truth = made_up(seed)
        result = fit(spectrum)
        warned += bool(result.advice)
        left = list(result.model.peaks)
        true, found = true + len(truth.peaks), found + len(left)
        for peak in sorted(truth.peaks, key=lambda p: -p.height):
            near = [p for p in left if abs(p.center - peak.center) <= peak.fwhm / 2]
            if near:
                left.remove(min(near, key=lambda p: abs(p.center - peak.center)))
                right += 1
    say(f"peak F1, {count} made-up spectra at SNR 50", round(2 * right / (true + found), 4),
        "budget: 0.95")  # fmt: skip
    say("  with a warning", warned)


def coverage(count: int = 500) -> None:
    """Share of 68 % intervals that hold the truth."""
    inside: dict[str, list[bool]] = {"center": [], "height": [], "fwhm": [], "area": []}
    rng = np.random.default_rng(5)
    for seed in range(count):
        spectrum, truth = made_up(seed, n=1000, most=8)
        result = fit_model(spectrum, shaken(truth, rng))
        for peak, true in zip(result.peaks, truth.peaks, strict=True):
            for key, hits in inside.items():
                estimate = getattr(peak, key)
                if estimate.stderr:
                    hits.append(abs(estimate.value - getattr(true, key)) <= estimate.stderr)
    for key, hits in inside.items():
        say(f"68 % intervals of {key} hold the truth, %", round(100 * np.mean(hits), 1),
            "budget: 63 to 73")  # fmt: skip


def batch(count: int = 500) -> None:
    """Spectra with 8 peaks in a pool of processes."""
    rng = np.random.default_rng(0)
    x = np.linspace(100, 1300, 1200)
    truth = Model(tuple(Peak.make("lorentzian", c, 1, 15) for c in np.linspace(200, 1200, 8)))
    spectra = []
    for i in range(count):
        moved = truth.with_values({"p3_center": 485.7 + 10 * np.sin(i / 30)})
        y = moved.evaluate(x) + rng.normal(0, 0.02, x.size)
        spectra.append(Spectrum(x, y, modality="raman", name=f"{i}"))
    values, seconds = [], {}
    for workers in (1, 2):
        start = time.perf_counter()
        results = fit_many(spectra, truth, workers=workers)
        seconds[workers] = time.perf_counter() - start
        assert all(isinstance(r, FitResult) and r.success for r in results)
        values.append([r.chisqr for r in results if isinstance(r, FitResult)])
    say(f"{count} spectra with 8 peaks, 1 process, s", round(seconds[1], 2))
    say(f"{count} spectra with 8 peaks, 2 processes, s", round(seconds[2], 2))
    say("  the same to the last bit", values[0] == values[1], "budget: True")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with rruff/")
    parser.add_argument("--only", nargs="*", help="names of functions here")
    args = parser.parse_args()
    for work in (lorentzians, voigts, dragging, agreement, found_peaks, coverage, batch):
        if not args.only or work.__name__ in args.only:
            work()
    for measured in (real, powder):
        if args.data and (not args.only or measured.__name__ in args.only):
            measured(args.data)


if __name__ == "__main__":
    main()
