"""JCAMP-DX: forms of ordinates, blocks, tables; numbers from the standard's own examples."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectrogen_app.data.axis import XKind
from spectrogen_app.io import registry
from spectrogen_app.io.base import Source
from spectrogen_app.io.readers.jcamp import parse_asdf

HEAD = (
    "##TITLE=t\n##JCAMP-DX=5.01 $$ made for a test\n##DATA TYPE={kind}\n##XUNITS={xunits}\n"
    "##YUNITS={yunits}\n##XFACTOR=1\n##YFACTOR=1\n##FIRSTX={first}\n##LASTX={last}\n"
    "##NPOINTS={n}\n"
)


def jcamp(folder: Path, data: str, n: int, *, first: float = 400, last: float | None = None,
          kind: str = "INFRARED SPECTRUM", xunits: str = "1/CM", yunits: str = "ABSORBANCE",
          name: str = "a.jdx") -> Path:  # fmt: skip
    last = first + n - 1 if last is None else last
    path = folder / name
    head = HEAD.format(kind=kind, xunits=xunits, yunits=yunits, first=first, last=last, n=n)
    path.write_text(head + data + "\n##END=\n", encoding="latin-1")
    return path


# The example of the standard (McDonald and Wilks 1988, Appl. Spectrosc. 42, 151): one row of
# numbers in all forms.
ROW = [1, 2, 3, 3, 2, 1, 0, -1, -2, -3]


@pytest.mark.parametrize(
    "line",
    [
        "400  1 2 3 3 2 1 0 -1 -2 -3",
        "400+1+2+3+3+2+1+0-1-2-3",
        "400A2@ABC C B A @ a b c".replace("A2@", "").replace(" ", ""),
        "400ABCCBA@abc",
        "400AJJ%jjjjjj",
        "400AJT%jX",
    ],
)
def test_all_forms_of_the_same_row(tmp_path: Path, line: str) -> None:
    (found,) = registry.read(jcamp(tmp_path, "##XYDATA=(X++(Y..Y))\n" + line, 10))
    assert found.y.tolist() == ROW
    assert found.x.tolist() == list(range(400, 410))


def test_check_value_of_the_next_line_is_no_point(tmp_path: Path) -> None:
    data = "##XYDATA=(X++(Y..Y))\n400A0JJ $$ a comment\n402A2JJ\n404A4"
    (found,) = registry.read(jcamp(tmp_path, data, 5))
    assert found.y.tolist() == [10, 11, 12, 13, 14]


def test_wrong_check_value_is_said(tmp_path: Path) -> None:
    data = "##XYDATA=(X++(Y..Y))\n400A0JJ\n402B2JJ\n404B4"
    verdict = registry.open_path(jcamp(tmp_path, data, 5))
    assert any("check value" in w for w in verdict.warnings)


def test_letter_e_is_a_digit_behind_x_and_an_exponent_elsewhere(tmp_path: Path) -> None:
    (found,) = registry.read(jcamp(tmp_path, "##XYDATA=(X++(Y..Y))\n400E00A0\n402E01J", 4))
    assert found.y.tolist() == [500, 10, 501, 502]
    (found,) = registry.read(jcamp(tmp_path, "##XYDATA=(X++(Y..Y))\n400 1.5E+02 2e-1 3", 3))
    assert found.y.tolist() == [150, 0.2, 3]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-99999, 99999), min_size=2, max_size=60))
def test_encoded_integers_decode(values: list[int]) -> None:
    squeezed, source = ("@ABCDEFGHI", " abcdefghi"), Source(Path("a.jdx"), b"")
    difference = ("%JKLMNOPQR", " jklmnopqr")

    def code(value: int, table: tuple[str, str]) -> str:
        digits = str(abs(value))
        return table[value < 0][int(digits[0])] + digits[1:]

    lines, previous = [], None
    for start in range(0, len(values), 7):
        chunk = values[start : start + 7]
        line = f"{start}"
        if previous is not None:
            line += code(previous, squeezed)
            deltas = [b - a for a, b in zip([previous, *chunk], chunk, strict=False)]
        else:
            line += code(chunk[0], squeezed)
            deltas = [b - a for a, b in pairwise(chunk)]
        lines.append(line + "".join(code(d, difference) for d in deltas))
        previous = chunk[-1]
    found, _ = parse_asdf(source, lines)
    if len(values) > 1:
        assert found.tolist() == values


def test_pairs_with_every_separator(tmp_path: Path) -> None:
    for data in ("400,1 401,2 402,3", "400,1;401,2;402,3", "400 1\n401 2\n402 3",
                 "(400,1)(401,2)(402,3)"):  # fmt: skip
        (found,) = registry.read(jcamp(tmp_path, "##XYPOINTS=(XY..XY)\n" + data, 3))
        assert found.x.tolist() == [400, 401, 402]
        assert found.y.tolist() == [1, 2, 3]


def test_decimal_comma(tmp_path: Path) -> None:
    path = jcamp(tmp_path, "##XYPOINTS=(XY..XY)\n400,5, 1,25\n401,5, 2,5\n", 2)
    path.write_text(path.read_text().replace("FIRSTX=400", "FIRSTX=400,5"))
    (found,) = registry.read(path)
    assert found.x.tolist() == [400.5, 401.5]
    assert found.y.tolist() == [1.25, 2.5]


def test_link_blocks_and_ntuples(tmp_path: Path) -> None:
    inner = "##TITLE={0}\n##JCAMP-DX=5\n##DATA TYPE=RAMAN SPECTRUM\n##XUNITS=1/CM\n" \
            "##YUNITS=COUNTS\n##XYDATA=(XY..XY)\n100 {0}\n101 5\n##END=\n"  # fmt: skip
    link = tmp_path / "link.dx"
    link.write_text("##TITLE=l\n##JCAMP-DX=5\n##DATA TYPE=LINK\n##BLOCKS=2\n" + inner.format(1)
                    + inner.format(2) + "##END=\n")  # fmt: skip
    found = registry.read(link)
    assert [s.name for s in found] == ["1", "2"]
    assert [s.y[0] for s in found] == [1, 2]
    assert {s.x_kind for s in found} == {XKind.RAMAN_SHIFT}
    tuples = tmp_path / "n.dx"
    tuples.write_text(
        "##TITLE=n\n##JCAMP-DX=5\n##DATA TYPE=NMR SPECTRUM\n##NTUPLES=n\n"
        "##SYMBOL=X,R,I,N\n##VAR_DIM=3,3,3,2\n##UNITS=HZ,A,A,\n##FIRST=10,1,1,1\n"
        "##LAST=14,3,3,2\n##FACTOR=1,2,3,1\n##PAGE=N=1\n##DATA TABLE=(X++(R..R)), XYDATA\n"
        "10 1 2 3\n##PAGE=N=2\n##DATA TABLE=(X++(I..I)), XYDATA\n10 4 5 6\n##END NTUPLES=n\n"
        "##END=\n"
    )
    real, imaginary = registry.read(tuples)
    assert real.x.tolist() == [10, 12, 14]
    assert real.y.tolist() == [2, 4, 6]
    assert imaginary.y.tolist() == [12, 15, 18]


def test_powder_pattern_that_claims_wavenumbers(tmp_path: Path) -> None:
    verdict = registry.open_path(
        jcamp(tmp_path, "##XYPOINTS=(XY..XY)\n2 5\n3 6\n4 7", 3, first=2, kind="X-RAY DIFFRACTION")
    )
    assert verdict.spectra[0].x_kind is XKind.TWO_THETA
    assert any("1/CM" in w for w in verdict.warnings)


def test_percent_transmittance_is_told_by_its_size(tmp_path: Path) -> None:
    path = jcamp(tmp_path, "##XYDATA=(X++(Y..Y))\n400 90 85 20", 3, yunits="TRANSMITTANCE")
    assert registry.read(path)[0].y_unit == "%T"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "without a table"),
        ("##XYDATA=(X++(Y..Y))\n400", "0 points"),
        ("##XYDATA=(X++(Y..Y))\n400A0&B", "'&'"),
        ("##XYDATA=(X++(Y..Y))\n400A0s999999999", "millions"),
        ("##XYDATA=(X++(Y..Y))\n400J0J", "difference"),
        ("##PEAK TABLE=(XYM)\n1,2,<a>", "no spectrum"),
    ],
)
def test_refused_with_the_reason(tmp_path: Path, data: str, says: str) -> None:
    verdict = registry.open_path(jcamp(tmp_path, data, 10))
    assert verdict.error is not None
    assert says in verdict.error.message


def test_cut_off_file_opens_with_a_warning(tmp_path: Path) -> None:
    path = jcamp(tmp_path, "##XYDATA=(X++(Y..Y))\n400 1 2 3 4", 10)
    path.write_text(path.read_text().replace("##END=\n", ""))
    verdict = registry.open_path(path)
    assert len(verdict.spectra[0]) == 4
    assert verdict.spectra[0].x.tolist() == [400, 401, 402, 403]
    assert any("promises 10 points" in w for w in verdict.warnings)
    assert any("##END=" in w for w in verdict.warnings)


@pytest.mark.parametrize(
    "file", ["dupdec1.jdx", "fixdec1.jdx", "BRUKPAC.DX", "BRUKSQZ.DX", "SBO.jdx", "saffron.jdx"]
)
def test_against_an_independent_reader(shared_data: Path, file: str) -> None:
    jcamp_package = pytest.importorskip("jcamp")
    path = shared_data / "instruments" / "jcamp" / file
    theirs = jcamp_package.readfile(str(path))
    ours = registry.read(path)[0]
    order = np.argsort(theirs["x"], kind="stable")
    assert np.allclose(ours.x, theirs["x"][order], rtol=1e-9, atol=1e-7)
    assert np.allclose(ours.y, theirs["y"][order], rtol=1e-9)
