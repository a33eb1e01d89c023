"""``fit``: files written, failures told, earlier models taken."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def peaks_csv(tmp_path: Path) -> Path:
    """Two Lorentzians of known place on a constant."""
    x = np.linspace(200, 600, 801)
    y = 5.0
    for centre, height, fwhm in ((300, 100, 12), (465, 60, 8)):
        y = y + height / (1 + ((x - centre) / (fwhm / 2)) ** 2)
    rng = np.random.default_rng(0)
    rows = "\n".join(
        f"{a:.6f},{b:.6f}" for a, b in zip(x, y + rng.normal(0, 0.5, x.size), strict=True)
    )
    path = tmp_path / "two.csv"
    path.write_text("Raman shift (cm-1),Intensity\n" + rows)
    return path


def test_fit_writes_peaks_curves_and_report(cli, peaks_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = cli("fit", peaks_csv, "--shape", "lorentzian", "--background", "constant",
              "--out", out, "--json")  # fmt: skip
    assert ran.code == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "peaks.csv", "two.curves.csv", "two.fit.json", "two.peaks.csv", "two.txt",
    ]  # fmt: skip
    (one,) = json.loads(ran.out)
    found = {round(p["center"]["value"]): p["height"]["value"] for p in one["peaks"]}
    assert found == {300: pytest.approx(100, rel=0.02), 465: pytest.approx(60, rel=0.02)}
    with (out / "peaks.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 2


def test_an_earlier_fit_is_the_model_of_the_next(cli, peaks_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cli("fit", peaks_csv, "--shape", "lorentzian", "--background", "constant", "--out", out)
    ran = cli("fit", peaks_csv, "--peaks", out / "two.fit.json", "--out", tmp_path / "again")
    assert ran.code == 0
    assert "2 peaks" in ran.out


def test_failures_do_not_stop_the_others(cli, peaks_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    ran = cli("fit", tmp_path / "empty.csv", peaks_csv, "--range", "280", "320",
              "--out", tmp_path / "out")  # fmt: skip
    assert ran.code == 1
    assert "1 fitted, 1 failed" in ran.out
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--peaks", "nothing.json"), 1), (("--range", "700", "800"), 1),
     (("--baseline", "arpls(lam=-1)"), 2), (("--shape", "triangle"), 2), (("--jobs", "0"), 2)],
)  # fmt: skip
def test_what_cannot_be_is_one_line(cli, arguments, code, peaks_csv: Path, tmp_path: Path) -> None:
    ran = cli("fit", peaks_csv, "--out", tmp_path / "out", *arguments)
    assert ran.code == code
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
