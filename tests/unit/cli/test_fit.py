"""``fit``: files written, failures told, earlier models taken."""

import csv
import json
import re
import tempfile
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
     (("--exclude", "0", "1e4"), 1), (("--range", "299,9", "300,2"), 1), (("--range", "a", "b"), 2),
     (("--range", "nan", "300"), 2),
     (("--baseline", "arpls(lam=-1)"), 2), (("--shape", "triangle"), 2), (("--jobs", "0"), 2)],
)  # fmt: skip
def test_what_cannot_be_is_one_line(cli, arguments, code, peaks_csv: Path, tmp_path: Path) -> None:
    ran = cli("fit", peaks_csv, "--out", tmp_path / "out", *arguments)
    assert ran.code == code
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


STOLEN = Path(tempfile.gettempdir()) / "spectrogen-stolen"
PEAK = {"shape": "lorentzian", "name": "p1", "params": {
    "center": {"value": 300}, "height": {"value": 90},
    "fwhm": {"value": 10, "min": 1e-12}}}  # fmt: skip


def with_tie(tie: str, name: str = "p1") -> dict:
    return {**PEAK, "name": name, "params": {**PEAK["params"], "fwhm": {"value": 9, "tie": tie}}}


@pytest.mark.parametrize(
    ("peaks", "says"),
    [
        ([], "nothing to fit"),
        ([{**PEAK, "name": f"p{i}"} for i in range(300)], "cannot be determined"),
        ([with_tie("p2_fwhm"), with_tie("p1_fwhm", "p2")], "circle"),
        ([with_tie("p1_height +")], "no arithmetic"),
        ([with_tie(f"open('{STOLEN}', 'w')")], "no arithmetic"),
        ([with_tie("p7_fwhm")], "no parameter"),
        ("nonsense", "no fit model"),
    ],
)  # fmt: skip
def test_models_that_cannot_be_fitted_are_refused_in_words(
    cli, peaks, says: str, peaks_csv: Path, tmp_path: Path
) -> None:
    template = tmp_path / "model.peaks.json"
    model = {"peaks": peaks}
    template.write_text(
        json.dumps({"format": "spectrogen-peaks", "version": 1, "model": model}), "utf-8"
    )
    ran = cli("fit", peaks_csv, "--peaks", template, "--out", tmp_path / "out")
    assert ran.code == 1
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not STOLEN.exists()


@pytest.mark.parametrize(
    ("value", "code", "says"), [("0", 1, "same"), ("7.5", 1, "same"), ("nan", 1, ""), ("", 1, "")]
)
def test_data_without_a_peak(cli, value: str, code: int, says: str, tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    rows = "\n".join(f"{x},{value}" for x in range(400))
    path.write_text(f"Raman shift (cm-1),Intensity\n{rows}")
    ran = cli("fit", path, "--out", tmp_path / "out")
    assert ran.code == code
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("rows", "kind"),
    [("center,height,fwhm\n300,90,10\n300,90,10\n", "sit on each other|told apart|determine"),
     ("center,height,fwhm\n300,90,10\n9000,5,10\n", "outside the fitted range")],
)  # fmt: skip
def test_what_is_doubtful_is_fitted_and_warned_of(
    cli, rows: str, kind: str, peaks_csv: Path, tmp_path: Path
) -> None:
    peaks = tmp_path / "list.csv"
    peaks.write_text(rows)
    ran = cli("fit", peaks_csv, "--peaks", peaks, "--out", tmp_path / "out", "--range", 250, 350,
              "--background", "constant")  # fmt: skip
    assert ran.code == 0
    assert re.search(kind, ran.out)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_lists_of_peaks_as_spreadsheets_write_them(
    cli, encoding: str, peaks_csv: Path, tmp_path: Path
) -> None:
    peaks = tmp_path / "Liste für Gerät.csv"
    peaks.write_bytes("center;height;fwhm\r\n300,5;90;10,5\r\n464,5;50;9\r\n".encode(encoding))
    ran = cli("fit", peaks_csv, "--peaks", peaks, "--background", "constant", "--json",
              "--out", tmp_path / "out")  # fmt: skip
    assert ran.code == 0
    (one,) = json.loads(ran.out)
    assert [round(p["center"]["value"]) for p in one["peaks"]] == [300, 465]
