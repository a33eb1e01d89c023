"""Tables of numbers in text: delimiters, decimals, headers, encodings, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spectrogen_app.data.axis import XKind
from spectrogen_app.errors import Cancelled, ReadError, SpectrogenError
from spectrogen_app.io import registry
from spectrogen_app.io.base import TextLayout
from spectrogen_app.io.readers import labspec
from spectrogen_app.io.readers import text as text_module

X = np.array([200.0, 200.5, 201.0, 201.5, 202.0])
Y = np.array([1.5, 2.25, -3.0, 4.0, 1e5])


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(delimiter: str, decimal: str = ".") -> str:
    pairs = zip(X.tolist(), Y.tolist(), strict=True)
    return "".join(f"{a!r}|{b!r}\n".replace(".", decimal).replace("|", delimiter) for a, b in pairs)


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", " ", "   ", " \t ", ",", ", "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_every_delimiter_and_decimal_sign(tmp_path: Path, delimiter: str, decimal: str) -> None:
    if decimal == "," and delimiter.strip() == ",":
        pytest.skip("no one can tell these apart")
    header = delimiter.join(("Raman shift (cm-1)", "Intensity"))
    (found,) = registry.read(write(tmp_path, f"{header}\n{table(delimiter, decimal)}"))
    assert np.array_equal(found.x, X)
    assert np.array_equal(found.y, Y)
    assert found.modality == "raman"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_every_encoding_and_line_end(tmp_path: Path, encoding: str, end: str) -> None:
    text = "Wellenlänge [nm];Zähler\n" + table(";", ",")
    (found,) = registry.read(write(tmp_path, text.replace("\n", end).encode(encoding)))
    assert np.array_equal(found.y, Y)
    assert (found.x_kind, found.x_unit) == (XKind.WAVELENGTH, "nm")


def test_header_pairs_titles_and_units_row(tmp_path: Path) -> None:
    (a, b) = registry.read(write(
        tmp_path,
        "Sample: quartz\nFormula = SiO2\nLaser: 532.1 nm\nRaman shift\tsample\tdark\n"
        "cm-1\tcounts\tcounts\n100\t5\t1\n101\t6\t2\n102\t7\t3\n",
    ))  # fmt: skip
    assert (a.sample, a.formula, a.laser_nm) == ("quartz", "SiO2", 532.1)
    assert (a.name, b.name) == ("sample", "dark")
    assert a.y_unit == "counts"
    assert a.metadata["Sample"] == "quartz"
    assert b.y.tolist() == [1, 2, 3]


def test_sigma_column_becomes_the_band(tmp_path: Path) -> None:
    (found,) = registry.read(
        write(tmp_path, "2theta counts sigma\n10 100 10\n10.1 90 9\n10.2 80 8\n")
    )
    assert found.lower is not None
    assert found.lower.tolist() == [90, 81, 72]
    assert found.modality == "xrd"


def test_pixel_before_x_and_second_axis_are_no_curves(tmp_path: Path) -> None:
    (found,) = registry.read(
        write(tmp_path, "Pixel,Wavelength,Raman Shift,Dark Subtracted\n"
              "0,533,35,7\n1,534,70,8\n2,535,105,9\n")
    )  # fmt: skip
    assert found.x.tolist() == [35, 70, 105]
    assert found.y.tolist() == [7, 8, 9]


def test_one_spectrum_per_row(tmp_path: Path) -> None:
    x = np.arange(100.0, 160.0)
    lines = [",".join(map(str, v)) for v in (x, x * 2, x * 3)]
    found = registry.read(write(tmp_path, "\n".join(lines)), modality="raman")
    assert [s.y[0] for s in found] == [200, 300]
    assert np.array_equal(found[0].x, x)


def test_many_spectra_one_per_row(tmp_path: Path) -> None:
    x = np.linspace(1800, 900, 20)
    rows = np.sin(np.outer(np.arange(1, 60), x / 100))
    lines = [",".join(map(repr, v.tolist())) for v in (x, *rows)]
    found = registry.read(write(tmp_path, "\n".join(lines)), modality="ir")
    assert len(found) == 59
    assert np.array_equal(found[7].y, rows[7][::-1])
    assert np.array_equal(found[7].x, x[::-1])


def test_scans_below_each_other(tmp_path: Path) -> None:
    one = "".join(f"{a} {a * 2}\n" for a in range(10, 30))
    verdict = registry.open_path(write(tmp_path, "2theta I\n" + one + one))
    assert [len(s) for s in verdict.spectra] == [20, 20]
    assert "taken as 2 scans" in " ".join(verdict.assumptions)


def test_quoted_decimal_commas_between_commas(tmp_path: Path) -> None:
    (found,) = registry.read(
        write(tmp_path, '"Raman shift","I"\n"100,5","1,25"\n"101,5","2,5"\n"102,5","4,0"\n')
    )
    assert found.x.tolist() == [100.5, 101.5, 102.5]
    assert found.y.tolist() == [1.25, 2.5, 4]


def test_typographic_minus(tmp_path: Path) -> None:
    (found,) = registry.read(
        write(tmp_path, "Raman shift (cm\u22121)\tI\n\u22125\t\u22121\n5\t2\n")
    )
    assert found.x.tolist() == [-5, 5]
    assert found.y.tolist() == [-1, 2]


@pytest.mark.parametrize(
    ("x_label", "y_label", "modality", "kind", "y_unit"),
    [
        ("Wavenumber / cm-1", "Absorbance", "ir", "wavenumber", "absorbance"),
        ("cm-1", "%T", "ir", "wavenumber", "%T"),
        ("Wellenzahl [1/cm]", "Transmission (%)", "ir", "wavenumber", "%T"),
        ("Raman Shift (cm^-1)", "Counts", "raman", "raman_shift", "counts"),
        ("Raman-Verschiebung (rel. 1/cm)", "Intensität", "raman", "raman_shift", "a.u."),
        ("ラマンシフト (cm⁻¹)", "counts/s", "raman", "raman_shift", "counts/s"),
        ("2Theta (deg)", "I", "xrd", "two_theta", "counts"),
        ("2θ / °", "Intensity (cps)", "xrd", "two_theta", "counts/s"),
        ("d (Å)", "I", "xrd", "d_spacing", "counts"),
        ("Q [1/A]", "I", "xrd", "q", "counts"),
        ("Wavelength (nm)", "Abs", "uvvis", "wavelength", "absorbance"),
        ("Longueur d'onde (nm)", "Intensité", "emission", "wavelength", "a.u."),
        ("Wavelength [µm]", "Reflectance", "ir", "wavelength", "reflectance"),
        ("Energy (eV)", "Intensity", "unknown", "energy", "a.u."),
        ("Time (s)", "Voltage (V)", "unknown", "other", "a.u."),
    ],
)  # fmt: skip
def test_axis_titles_of_many_programs(
    tmp_path: Path, *, x_label: str, y_label: str, modality: str, kind: str, y_unit: str
) -> None:
    body = "".join(f"{a}\t{a * 0.01:.3f}\n" for a in range(1, 40))
    if modality in ("ir", "raman") and kind != "wavelength":
        body = "".join(f"{a}\t{a * 1e-5:.3f}\n" for a in range(400, 4000, 50))
    (found,) = registry.read(write(tmp_path, f"{x_label}\t{y_label}\n{body}"))
    assert (found.modality, found.x_kind, found.y_unit) == (modality, kind, y_unit)


def test_percent_transmittance_is_told_by_its_size(tmp_path: Path) -> None:
    x = np.arange(400, 4000, 4)
    y = 95 - 60 * np.exp(-(((x - 1400) / 50) ** 2))
    body = "".join(f"{a},{b:.3f}\n" for a, b in zip(x, y, strict=True))
    verdict = registry.open_path(write(tmp_path, body))
    assert (verdict.spectra[0].modality, verdict.spectra[0].y_unit) == ("ir", "%T")
    assert any("percent" in a for a in verdict.assumptions)
    assert verdict.unsure


def test_nan_rows_go_and_are_said(tmp_path: Path) -> None:
    verdict = registry.open_path(
        write(tmp_path, "wavelength (nm),y\n1,2\n2,nan\n3,inf\n4,5\n5,\n6,7\n")
    )
    assert verdict.spectra[0].x.tolist() == [1, 4, 6]
    assert any("3 points" in w for w in verdict.warnings)


def test_comments_between_rows_are_said(tmp_path: Path) -> None:
    verdict = registry.open_path(write(tmp_path, "# c\n1,2\n2,3\n# lamp changed\n3,4\n4,5\n"))
    assert verdict.spectra[0].y.tolist() == [2, 3, 4, 5]
    assert any("1 line" in w for w in verdict.warnings)


def test_descending_is_no_warning_unsorted_and_repeated_are(tmp_path: Path) -> None:
    down = registry.open_path(write(tmp_path, "3,1\n2,2\n1,3\n"))
    assert down.spectra[0].x.tolist() == [1, 2, 3]
    assert not down.warnings
    mixed = registry.open_path(write(tmp_path, "1,1\n3,3\n2,2\n4,4\n4,6\n"))
    assert mixed.spectra[0].y.tolist() == [1, 2, 3, 5]
    assert any("sorted" in w for w in mixed.warnings)
    assert any("repeat" in w for w in mixed.warnings)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "white space"),
        (b"Raman shift,Intensity\n", "without rows of numbers"),
        (b"Raman shift,Intensity\n100.5,3\n", "1 row of numbers"),
        (b"Dear colleague,\nhere is no spectrum.\n", "without rows of numbers"),
        (b"1\n2\n3\n4\n", "one column"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1", "PNG picture"),
        (b"x,y\n" + b"nan,nan\n" * 5, "x column"),
        (b"%PDF-1.7 \0\0", "PDF"),
    ],
)
def test_refused_with_the_reason(tmp_path: Path, content: bytes, says: str) -> None:
    verdict = registry.open_path(write(tmp_path, content, "renamed.txt"))
    assert verdict.error is not None
    assert says in verdict.error.message
    assert verdict.error.hint
    with pytest.raises(ReadError):
        registry.read(tmp_path / "renamed.txt")


def test_layout_overrides_what_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, "1,5;2,5;9,5\n2,5;3,5;8,5\n3,5;4,5;7,5\n", "t.txt")
    layout = TextLayout(delimiter=";", decimal=",", x_column=1, y_columns=(2,), modality="xrd",
                        x_unit="deg")  # fmt: skip
    (found,) = registry.read(path, layout=layout)
    assert found.x.tolist() == [2.5, 3.5, 4.5]
    assert found.y.tolist() == [9.5, 8.5, 7.5]
    assert found.modality == "xrd"
    with pytest.raises(SpectrogenError, match="column 8"):
        registry.read(path, layout=TextLayout(x_column=7))


def test_skip_rows_and_foreign_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path, "1:1\n2:2\n100:7\n101:8\n102:9\n")
    layout = TextLayout(delimiter=":", skip_rows=2, modality="raman")
    assert registry.read(path, layout=layout)[0].x.tolist() == [100, 101, 102]


def test_large_file_is_read_in_blocks_and_can_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_module, "BLOCK", 1 << 12)
    x = np.arange(20000) * 0.008
    body = "".join(f"{a:.3f}\t{a * 3:.4f}\n" for a in x)
    for encoding in ("utf-8", "utf-16", "utf-16-be", "cp1252"):
        path = write(tmp_path, ("2theta (°)\tcounts\n" + body).encode(encoding))
        (found,) = registry.read(path)
        assert np.allclose(found.x, x)
    calls = []

    def stop(fraction: float, message: str = "") -> None:
        calls.append(fraction)
        if len(calls) > 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        registry.open_path(path, check=stop)
    monkeypatch.setattr(text_module, "MAX_NUMBERS", 1000)
    assert "million numbers" in str(registry.open_path(path).error)


SIZES = st.floats(1e-30, 1e15, width=64)  # smaller ones may be taken for misread bytes
NUMBERS = SIZES | st.just(0.0) | SIZES.map(lambda v: -v)


@settings(max_examples=60, deadline=None)
@given(
    y=arrays(np.float64, st.integers(2, 40), elements=NUMBERS),
    delimiter=st.sampled_from(["\t", ";", " ", ","]),
)
def test_any_numbers_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, y: np.ndarray, delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.txt"
    x = np.arange(y.size) + 100.0
    path.write_text("".join(f"{a!r}{delimiter}{b!r}\n" for a, b in zip(x.tolist(), y.tolist(),
                                                                      strict=True)))  # fmt: skip
    (found,) = registry.read(path, modality="raman")
    assert np.array_equal(found.x, x)
    assert np.array_equal(found.y, y)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_refused_or_sane(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.txt"
    path.write_bytes(content)
    verdict = registry.open_path(path)
    assert verdict.ok or isinstance(verdict.error, SpectrogenError)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\t\r\n", "\r"])
def test_maps_of_labspec_by_line(tmp_path, monkeypatch, lazy, line_end):
    x = np.linspace(100, 200, 12)
    rows = [[i // 3, i % 3, *(x * (i + 1))] for i in range(150)]
    lines = ["\t".join(f"{v:.4f}" for v in row) for row in rows]
    lines[5] = lines[5][:40]
    path = tmp_path / "map.txt"
    head = "\t\t" + "\t".join(f"{v:.4f}" for v in x)
    path.write_bytes(line_end.join([head, *lines, ""]).encode())
    monkeypatch.setattr(labspec, "LAZY", 0 if lazy else 1 << 23)
    verdict = registry.open_path(path)
    assert verdict.format == "Horiba LabSpec text"
    assert len(verdict.spectra) == 149
    assert any("left out: 1" in w for w in verdict.warnings)
    assert verdict.spectra[5].y == pytest.approx(x * 7, rel=1e-6)
    assert verdict.spectra[5].metadata["Position"] == (2, 0)
    lines[68] = lines[68].replace("0\t", "0x\t", 1)
    path.write_bytes(line_end.join([head, *lines, ""]).encode())
    damaged = registry.open_path(path).spectra
    assert len(damaged) == 149 - (not lazy)
    if lazy:
        with pytest.raises(SpectrogenError, match="damaged line"):
            damaged[67]


def test_a_table_whose_first_column_goes_up_and_down_is_no_spectrum(tmp_path: Path) -> None:
    rows = [(10 * (i * 7919 % 101), i) for i in range(101)]
    path = tmp_path / "list.csv"
    path.write_text("size,number\n" + "\n".join(f"{a},{b}" for a, b in rows))
    verdict = registry.open_path(path)
    assert "goes up and down" in str(verdict.error)
    assert verdict.tabular
    assert registry.read(path, x_column=1, y_columns=(0,))[0].x.tolist() == list(range(101))
    path.write_text("Raman shift (cm-1),counts\n" + "\n".join(f"{a},{b}" for a, b in rows))
    assert registry.open_path(path).ok
