"""Contract of the readers of text: RRUFF, JCAMP-DX, CSV and the program's own CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reader_contract import ReaderContract, text_file

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io import registry
from spectrogen_app.io.readers.jcamp import JcampReader
from spectrogen_app.io.readers.rruff import RruffReader
from spectrogen_app.io.readers.spectrogen_csv import SpectrogenCsvReader
from spectrogen_app.io.readers.text import TextReader


def curve(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(150, 1300, n)
    return x, 10 + 1000 / (1 + ((x - 1086) / 4) ** 2)


class TestRruff(ReaderContract):
    reader = RruffReader()

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        rows = "".join(f"{a:.5f}, {b:.6E}\n" for a, b in zip(*curve(), strict=True))
        return text_file(
            tmp_path, "Calcite__R040070__Raman__532__0__x__Raman_Data_Processed__1.txt",
            f"##NAMES=Calcite\n##RRUFFID=R040070\n##IDEAL CHEMISTRY=CaCO_3_\n{rows}##END=\n\n",
        )  # fmt: skip


class TestJcamp(ReaderContract):
    reader = JcampReader()

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        return text_file(
            tmp_path, "difdup.jdx",
            "##TITLE=difdup\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n"
            "##YUNITS=ABSORBANCE\n##XFACTOR=1\n##YFACTOR=0.001\n##FIRSTX=400\n##LASTX=406\n"
            "##NPOINTS=7\n##XYDATA=(X++(Y..Y))\n400A0JKT\n404A5jj%\n##END=\n",
        )  # fmt: skip


class TestText(ReaderContract):
    reader = TextReader()

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        rows = "".join(f"{a:.3f}\t{b:.4f}\n" for a, b in zip(*curve(), strict=True))
        return text_file(tmp_path, "calcite.txt", f"Raman shift (cm-1)\tCounts\n{rows}")


class TestSpectrogenCsv(ReaderContract):
    reader = SpectrogenCsvReader()

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        path = tmp_path / "out.csv"
        x, y = curve()
        registry.write(Spectrum(x, y, modality="raman", name="calcite", lower=y - 1, upper=y + 1),
                       path)  # fmt: skip
        return path
