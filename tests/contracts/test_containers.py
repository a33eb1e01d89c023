"""What real files do not show: hostile containers, other layouts, variants, reopening own files."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from reader_contract import bounded, same

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.provenance import Generation, Origin, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io import registry
from spectrogen_app.io.base import SpectrumList

X = np.linspace(400.0, 1200.0, 90)
Y = 1.0 + np.exp(-(((X - 800) / 30) ** 2))


def generated() -> Spectrum:
    made = Generation("m", "0" * 64, 7, "cpu", ("a",), "CaCO3", 0.5,
                      (Reference("Calcite", "R040070", 0.9),))  # fmt: skip
    return Spectrum(
        X, Y, modality="raman", name="answer", sample="calcite", laser_nm=532.0, lower=Y - 0.1,
        upper=Y + 0.1, origin=Origin.GENERATED,
        provenance=Provenance(format="generated", generation=made),
    )  # fmt: skip


class TestHdf5:
    def test_own_file_reopens_whole(self, tmp_path: Path) -> None:
        registry.write_many([generated(), generated().replace(name="b")], tmp_path / "own.nxs")
        first, second = registry.open_path(tmp_path / "own.nxs").spectra
        np.testing.assert_array_equal(first.y, Y)
        np.testing.assert_array_equal(first.upper, Y + 0.1)
        assert (first.name, second.name, first.origin) == ("answer", "b", Origin.GENERATED)
        assert first.provenance.generation == generated().provenance.generation

    def test_altered_record_is_said_and_numbers_stay(self, tmp_path: Path) -> None:
        import h5py

        registry.write(generated(), tmp_path / "own.nxs")
        with h5py.File(tmp_path / "own.nxs", "a") as file:
            del file["entry1/process/record"]
            file["entry1/process/record"] = "{}"
        verdict = registry.open_path(tmp_path / "own.nxs")
        assert any("altered" in w for w in verdict.warnings)
        np.testing.assert_array_equal(verdict.spectra[0].y, Y)
        assert verdict.spectra[0].origin is Origin.GENERATED

    def test_links_to_other_files_are_not_followed(self, tmp_path: Path) -> None:
        import h5py

        with h5py.File(tmp_path / "secret.h5", "w") as file:
            file["wavenumber"], file["absorbance"] = X, Y
        with h5py.File(tmp_path / "link.h5", "w") as file:
            file["wavenumber"] = h5py.ExternalLink("secret.h5", "wavenumber")
            file["absorbance"] = h5py.ExternalLink("secret.h5", "absorbance")
        verdict = registry.open_path(tmp_path / "link.h5")
        assert verdict.error is not None
        assert "other files" in verdict.error.message

    def test_virtual_dataset_is_not_followed(self, tmp_path: Path) -> None:
        import h5py

        with h5py.File(tmp_path / "secret.h5", "w") as file:
            file["y"] = Y
        layout = h5py.VirtualLayout(shape=Y.shape, dtype=Y.dtype)
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "y", shape=Y.shape)
        with h5py.File(tmp_path / "virtual.h5", "w") as file:
            file["wavenumber"] = X
            file.create_virtual_dataset("absorbance", layout)
        verdict = registry.open_path(tmp_path / "virtual.h5")
        assert verdict.error is not None
        assert verdict.error.hint

    def test_dataset_that_unpacks_to_gigabytes(self, tmp_path: Path) -> None:
        import h5py

        with h5py.File(tmp_path / "bomb.h5", "w") as file:
            file["wavenumber"] = np.arange(1000.0)
            file.create_dataset("absorbance", (200_000, 1000), "f8", chunks=(1000, 1000),
                                compression="gzip")  # fmt: skip
        verdict = registry.open_path(tmp_path / "bomb.h5")
        assert verdict.error is not None
        assert "MB" in verdict.error.message

    def test_text_that_claims_gigabytes(self, tmp_path: Path) -> None:
        """Found by fuzzing: the library set aside the 4 GB that a damaged length asked for."""
        import h5py

        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["wavenumber"], file["absorbance"], file["note"] = X, Y, "a text"
            at = file["note"].id.get_offset()
        data = bytearray((tmp_path / "a.h5").read_bytes())
        garbage = struct.pack("<IQI", 0xFFFFFFF0, 1 << 40, 7)
        (tmp_path / "b.h5").write_bytes(data[:at] + garbage + data[at + 16 :])
        with bounded():
            assert registry.open_path(tmp_path / "b.h5").ok
        data[at : at + 4] = b"\xf0\xff\xff\xff"
        (tmp_path / "c.h5").write_bytes(data)
        with bounded():
            verdict = registry.open_path(tmp_path / "c.h5")
        assert verdict.error is not None
        assert "longer than the file" in verdict.error.message

    def test_attribute_that_claims_gigabytes(self, tmp_path: Path) -> None:
        import h5py

        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["wavenumber"], file["absorbance"] = X, Y
            file["absorbance"].attrs["units"] = "a unit of some length"
        data = (tmp_path / "a.h5").read_bytes()
        heap = struct.pack("<Q", data.index(b"GCOL"))
        at = data.index(struct.pack("<I", len("a unit of some length")) + heap)
        (tmp_path / "b.h5").write_bytes(data[:at] + b"\xf0\xff\xff\xff" + data[at + 4 :])
        with bounded():
            verdict = registry.open_path(tmp_path / "b.h5")
        assert verdict.error is not None
        assert "longer than the file" in verdict.error.message

    def test_group_that_holds_itself(self, tmp_path: Path) -> None:
        import h5py

        with h5py.File(tmp_path / "loop.h5", "w") as file:
            group = file.create_group("a")
            group["again"] = group
            group["wavenumber"], group["absorbance"] = X, Y
        assert registry.open_path(tmp_path / "loop.h5").ok

    @pytest.mark.parametrize("axis_first", [True, False])
    def test_map_is_positions_by_spectra(self, tmp_path: Path, axis_first: bool) -> None:
        import h5py

        cube = np.arange(4 * 5 * X.size, dtype="f4").reshape(4, 5, X.size)
        with h5py.File(tmp_path / "map.nxs", "w") as file:
            data = file.create_group("entry/data")
            file["entry"].attrs["NX_class"] = "NXentry"
            data.attrs.update({"NX_class": "NXdata", "signal": "counts"})
            data.attrs["axes"] = ["shift", "y", "x"] if axis_first else ["y", "x", "shift"]
            data["counts"] = np.moveaxis(cube, -1, 0) if axis_first else cube
            data["shift"], data["x"], data["y"] = X, np.arange(5.0), np.arange(4.0)
            data["shift"].attrs["long_name"] = "Raman shift (1/cm)"
        spectra = registry.open_path(tmp_path / "map.nxs").spectra
        assert len(spectra) == 20
        np.testing.assert_array_equal(spectra[7].y, cube[1, 2])
        assert spectra[7].name.endswith("(1, 2)")
        assert spectra[7].x_kind is XKind.RAMAN_SHIFT


class TestXlsx:
    def test_own_workbook_keeps_what_it_says(self, tmp_path: Path) -> None:
        registry.write_many([generated(), generated().replace(name="b")], tmp_path / "own.xlsx")
        verdict = registry.open_path(tmp_path / "own.xlsx")
        assert [s.name for s in verdict.spectra] == ["answer", "b"]
        assert {s.origin for s in verdict.spectra} == {Origin.GENERATED}
        assert verdict.spectra[0].laser_nm == 532.0
        np.testing.assert_allclose(verdict.spectra[0].y, Y, rtol=1e-14)

    def test_entities_are_refused(self, tmp_path: Path) -> None:
        registry.write(generated(), tmp_path / "own.xlsx")
        target = tmp_path / "laughs.xlsx"
        with zipfile.ZipFile(tmp_path / "own.xlsx") as old, zipfile.ZipFile(target, "w") as new:
            for member in old.namelist():
                text = old.read(member)
                if member == "xl/workbook.xml":
                    head = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
                    text = head + text.partition(b"?>")[2] if b"?>" in text else head + text
                new.writestr(member, text)
        verdict = registry.open_path(target)
        assert verdict.error is not None
        assert verdict.error.hint

    def test_bomb_is_refused(self, tmp_path: Path) -> None:
        registry.write(generated(), tmp_path / "own.xlsx")
        with zipfile.ZipFile(tmp_path / "own.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/media/zeros.bin", bytes(40 << 20))
        verdict = registry.open_path(tmp_path / "own.xlsx")
        assert verdict.error is not None
        assert "unpack" in verdict.error.message

    def test_far_cells_do_not_fill_the_memory(self, tmp_path: Path) -> None:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for _ in range(400):
            sheet.append([1, *([None] * 16382), 2])
        book.save(tmp_path / "wide.xlsx")
        verdict = registry.open_path(tmp_path / "wide.xlsx")
        assert verdict.error is not None
        assert "million cells" in verdict.error.message


class TestXmlFormats:
    @pytest.mark.parametrize(
        ("name", "start", "end"),
        [
            ("a.tvf", "<!--TriVista-File.-->", "<XmlMain>&b;</XmlMain>"),
            ("a.xml", "", "<LSX_Data>&b;</LSX_Data>"),
        ],
    )
    def test_entities_are_refused(
        self, tmp_path: Path, name: str, start: str, end: str
    ) -> None:
        laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        (tmp_path / name).write_text(start + laughs + end)
        verdict = registry.open_path(tmp_path / name)
        assert verdict.error is not None
        assert "entities" in verdict.error.message


class TestEnvi:
    @pytest.mark.parametrize("order", ["bsq", "bil", "bip"])
    @pytest.mark.parametrize("big", [False, True])
    def test_interleaves_and_byte_orders(self, tmp_path: Path, order: str, big: bool) -> None:
        cube = np.arange(3 * 4 * 5, dtype="f4").reshape(3, 4, 5)  # lines, samples, bands
        axes = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}[order]
        stored = cube.transpose(axes)
        (tmp_path / "a.img").write_bytes(b"xx" + stored.astype(">f4" if big else "<f4").tobytes())
        (tmp_path / "a.hdr").write_text(
            "ENVI\ndescription = { IR Image }\nsamples = 4\nlines = 3\nbands = 5\n"
            f"header offset = 2\ndata type = 4\ninterleave = {order}\nbyte order = {int(big)}\n"
            "wavelength units = Wavenumber\nwavelength = {\n 1000, 1010,\n 1020, 1030, 1040}\n"
        )
        spectra = registry.open_path(tmp_path / "a.hdr").spectra
        assert len(spectra) == 12
        np.testing.assert_array_equal(spectra[6].y, cube[1, 2])
        np.testing.assert_array_equal(spectra[6].x, [1000, 1010, 1020, 1030, 1040])

    def test_header_without_data(self, tmp_path: Path) -> None:
        (tmp_path / "a.hdr").write_text("ENVI\nsamples = 4\nlines = 3\nbands = 5\n")
        verdict = registry.open_path(tmp_path / "a.hdr")
        assert verdict.error is not None
        assert "data file" in verdict.error.message


class TestAgilent:
    def test_without_its_index(self, shared_data: Path, tmp_path: Path) -> None:
        data = (shared_data / "instruments/agilent/4_noimage_agg256.dat").read_bytes()
        (tmp_path / "alone.dat").write_bytes(data)
        verdict = registry.open_path(tmp_path / "alone.dat")
        assert verdict.error is not None
        assert "alone.bsp" in verdict.error.hint


def vamas(scan: str, variables: list[tuple[str, str]], values: list[float]) -> str:
    lines: list[object] = [
        "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4",
        "lab", "instrument", "operator", "experiment", 1, "a comment", "NORM", scan, 1,
        0, 0, 0, 0, 0, 1,
        "block", "gold", 2020, 1, 2, 3, 4, 5, 0, 0, "XPS", "Al", 1486.6, "1E37", "1E37", "1E37",
        "1E37", "1E37", "FAT", 20, "1E37", 4.5, "1E37", "1E37", "1E37", "1E37", "1E37",
        "Au", "4f", -1,
    ]  # fmt: skip
    if scan == "REGULAR":
        lines += ["Binding energy", "eV", 90, -0.5]
    lines += [len(variables), *(part for v in variables for part in v)]
    lines += ["pulse counting", 0.1, 3, 0, 0, 0, 0, 1, "tilt", "d", 7, len(values)]
    lines += [0, 1] * len(variables)
    return "\n".join(map(str, [*lines, *values, "end of experiment", ""]))


class TestVamas:
    def test_several_variables_are_interleaved(self, tmp_path: Path) -> None:
        text = vamas("REGULAR", [("counts", "d"), ("transmission", "d")],
                     [v for i in range(20) for v in (100 + i, 0.5)])  # fmt: skip
        (tmp_path / "a.vms").write_text(text)
        first, second = registry.open_path(tmp_path / "a.vms").spectra
        np.testing.assert_allclose(first.x, np.sort(90 - 0.5 * np.arange(20)))
        np.testing.assert_allclose(first.y[::-1], 100 + np.arange(20))
        assert np.all(second.y == 0.5)
        assert first.metadata["tilt (d)"] == "7"

    def test_irregular_scan_has_its_own_x(self, tmp_path: Path) -> None:
        x = np.cumsum(np.linspace(0.1, 1, 15))
        text = vamas("IRREGULAR", [("Kinetic energy", "eV"), ("counts", "d")],
                     [float(v) for pair in zip(x, x**2, strict=True) for v in pair])  # fmt: skip
        (tmp_path / "a.vms").write_text(text)
        (only,) = registry.open_path(tmp_path / "a.vms").spectra
        np.testing.assert_allclose(only.x, x)
        np.testing.assert_allclose(only.y, x**2)
        assert only.x_kind is XKind.ENERGY


    def test_block_that_ends_after_one_value(self, tmp_path: Path) -> None:
        text = vamas("REGULAR", [("counts", "d")], [1.0] * 20)
        (tmp_path / "a.vms").write_text(text[: text.index("\n1.0\n") + 5])
        verdict = registry.open_path(tmp_path / "a.vms")
        assert verdict.error is not None
        assert "ends after" in verdict.error.message


class TestMatlab:
    @pytest.mark.parametrize("packed", [False, True])
    def test_axis_beside_a_matrix(self, tmp_path: Path, packed: bool) -> None:
        from scipy.io import savemat

        rows = np.arange(3.0 * X.size).reshape(3, -1)
        savemat(tmp_path / "a.mat", {"wavenumber": X, "spectra": rows.T, "note": "text"},
                do_compression=packed)  # fmt: skip
        spectra = registry.open_path(tmp_path / "a.mat").spectra
        np.testing.assert_array_equal([s.y for s in spectra], rows)
        assert spectra[0].modality == "ir"

    def test_element_that_unpacks_without_end(self, tmp_path: Path) -> None:
        packed = zlib.compress(struct.pack("<II", 14, 1 << 31) + bytes(64 << 20), 9)
        head = b"MATLAB 5.0 MAT-file".ljust(126) + b"IM"
        (tmp_path / "a.mat").write_bytes(head + struct.pack("<II", 15, len(packed)) + packed)
        verdict = registry.open_path(tmp_path / "a.mat")
        assert verdict.error is not None
        assert "unpacks to more than" in verdict.error.message


class TestTextVariants:
    def test_renishaw_map_with_titles(self, tmp_path: Path) -> None:
        lines = ["#X\t\t#Y\t\t#Wave\t\t#Intensity"]
        for place in (0.0, 1.5):
            lines += [f"{place}\t-2\t{v:.3f}\t{v * place + 1:.3f}" for v in X[::-1]]
        (tmp_path / "map.txt").write_text("\n".join(lines))
        verdict = registry.open_path(tmp_path / "map.txt")
        assert verdict.format == "Renishaw WiRE text"
        assert [s.metadata["Position"] for s in verdict.spectra] == [(0.0, -2.0), (1.5, -2.0)]
        np.testing.assert_allclose(verdict.spectra[1].y, X * 1.5 + 1, atol=2e-3)

    @pytest.mark.parametrize("titled", [True, False])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("rest", ["", "\n", "\n2\t-2\t500\t7"])
    def test_a_long_renishaw_map_reads_as_a_short_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, titled: bool, end: str, rest: str
    ) -> None:
        lines = ["#X\t\t#Y\t\t#Wave\t\t#Intensity"] if titled else []
        for place in (0.0, 0.0, 1.5):
            lines += [f"{place}\t-2\t{v:.3f}\t{v * place + i:g}" for i, v in enumerate(X[::-1])]
        path = tmp_path / "map.txt"
        path.write_bytes((end.join(lines) + rest).encode())
        short = registry.open_path(path)
        assert len(short.spectra) == 3
        monkeypatch.setattr("spectrogen_app.io.readers.renishaw_text.LAZY", 0)
        monkeypatch.setattr("spectrogen_app.io.readers.renishaw_text._SAMPLE", 5000)
        monkeypatch.setattr("spectrogen_app.io.registry.EAGER", 0)
        long = registry.open_path(path)
        assert isinstance(long.spectra, SpectrumList)
        assert len(long.warnings) == len(short.warnings) == (1 if rest.strip() else 0)
        assert all(same(a, b) for a, b in zip(short.spectra, long.spectra, strict=True))

    def test_a_long_irregular_renishaw_map_is_read_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = [f"{place}\t{v:g}\t{v * place:g}" for place, n in ((0, 40), (1, 41), (2, 40))
                 for v in X[:n][::-1]]  # fmt: skip
        (tmp_path / "map.txt").write_text("\n".join(lines))
        monkeypatch.setattr("spectrogen_app.io.readers.renishaw_text.LAZY", 0)
        assert [len(s) for s in registry.open_path(tmp_path / "map.txt").spectra] == [40, 41, 40]

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("rest", ["", "\n", "\t\n400\t1\t2"])
    def test_a_large_witec_map_reads_as_a_small_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, rest: str
    ) -> None:
        values = np.random.default_rng(1).normal(500, 99, (X.size, 40)).round(3)
        name = "Map" * 600  # all titles are longer than what a reader sees at first
        lines = ["X-Axis\t" + "\t".join(f"{name}({i}/0)" for i in range(40)),
                 "rel. 1/cm\t" + "\t".join(["CCD cts"] * 40)]  # fmt: skip
        lines += ["\t".join(f"{v:g}" for v in (x, *row)) for x, row in zip(X, values, strict=True)]
        lines[5] = lines[5].rpartition("\t")[0] + "\t"
        lines[6] = lines[6].rpartition("\t")[0] + "\toverflow"
        path = tmp_path / "map.txt"
        path.write_bytes((end.join(lines) + rest).encode())
        monkeypatch.setattr("spectrogen_app.io.readers.witec.LAZY", 0)
        monkeypatch.setattr("spectrogen_app.io.registry.EAGER", 0)
        verdict = registry.open_path(path)
        assert isinstance(verdict.spectra, SpectrumList)
        assert len(verdict.spectra) == 40
        assert any("damaged, left out" in w for w in verdict.warnings)
        for i, s in enumerate(verdict.spectra):
            assert (s.name, s.modality, s.y_unit) == (f"{name}({i}/0)", "raman", "counts")
            there = np.ones(X.size, bool)
            there[3] = False
            there[4] = i != 39
            np.testing.assert_allclose(s.x, X[there], rtol=1e-5)
            np.testing.assert_allclose(s.y, values[there, i], rtol=1e-5)

    def test_columns_of_whole_numbers_are_not_kaiser(self, tmp_path: Path) -> None:
        rows = "\n".join(f"{i},{i % 7},{i * i},{i}" for i in range(60))
        (tmp_path / "a.csv").write_text(rows)
        assert registry.open_path(tmp_path / "a.csv").format != "Kaiser text"

    def test_truncated_series_says_what_is_missing(self, shared_data: Path, tmp_path: Path) -> None:
        data = (shared_data / "instruments/princeton_spe/blut1.SPE").read_bytes()
        (tmp_path / "cut.SPE").write_bytes(data[: 4100 + 2046 * 4 + 77])
        verdict = registry.open_path(tmp_path / "cut.SPE")
        assert len(verdict.spectra) == 4
        assert "Cut off: 4 of 10 frames are there." in verdict.warnings

    def test_impossible_spectra_of_a_map_are_left_out(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        data = bytearray((shared_data / "instruments/andor/Andor_kinetic.sif").read_bytes())
        data[4024 + 4096 * 3 : 4024 + 4096 * 3 + 4] = np.float32(1e30).tobytes()
        (tmp_path / "bad.sif").write_bytes(data)
        verdict = registry.open_path(tmp_path / "bad.sif")
        assert len(verdict.spectra) == 99
        assert verdict.spectra[3].name.endswith("frame 5")
        assert any("impossible" in w for w in verdict.warnings)
