"""Contract of the vendors' binary formats, on real files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from reader_contract import ReaderContract

from spectrogen_app.io.readers.brml import BrmlReader
from spectrogen_app.io.readers.bruker_raw import BrukerRawReader
from spectrogen_app.io.readers.cif import CifReader
from spectrogen_app.io.readers.gsas import GsasReader
from spectrogen_app.io.readers.omnic import OmnicReader
from spectrogen_app.io.readers.opus import OpusReader
from spectrogen_app.io.readers.philips import RdReader, UdfReader
from spectrogen_app.io.readers.powder_steps import PowderStepsReader
from spectrogen_app.io.readers.rigaku import (
    RasReader,
    RasxReader,
    RigakuRawReader,
    RigakuTextReader,
)
from spectrogen_app.io.readers.spc import SpcReader
from spectrogen_app.io.readers.stoe import StoeReader
from spectrogen_app.io.readers.uxd import UxdReader
from spectrogen_app.io.readers.wdf import WdfReader
from spectrogen_app.io.readers.xrdml import XrdmlReader


class TestWdf(ReaderContract):
    reader = WdfReader()
    files = ("wdf/spectra_1.wdf",)


class TestWdfMap(ReaderContract):
    reader = WdfReader()
    files = ("wdf/6x6.wdf",)


class TestOpus(ReaderContract):
    reader = OpusReader()
    files = ("opus/test.0000",)


class TestSpc(ReaderContract):
    reader = SpcReader()
    files = ("spc/LabRam-1.spc",)


class TestSpcOld(ReaderContract):
    reader = SpcReader()
    files = ("spc/m_ordz.spc",)


class TestSpcOwnAxes(ReaderContract):
    reader = SpcReader()
    files = ("spc/DRUG_SAMPLE_PEAKS.SPC",)


class TestOmnicSpa(ReaderContract):
    reader = OmnicReader()
    files = ("spa/spectre.SPA",)


class TestOmnicGroup(ReaderContract):
    reader = OmnicReader()
    files = ("spg/wodger.spg",)


class TestOmnicSeries(ReaderContract):
    reader = OmnicReader()
    files = ("srs/Test.srs",)


class TestXrdml(ReaderContract):
    reader = XrdmlReader()
    files = ("xrdml/empyrean.xrdml",)


class TestBrml(ReaderContract):
    reader = BrmlReader()
    files = ("brml/test.brml",)


class TestRas(ReaderContract):
    reader = RasReader()
    files = ("rigaku_ras/TiO2-1-3h.ras",)


class TestRasx(ReaderContract):
    reader = RasxReader()
    files = ("rasx/TwoTheta_scan_powder.rasx",)


class TestRigakuText(ReaderContract):
    reader = RigakuTextReader()
    files = ("rigaku_ras/050121_LMO-p.asc",)


class TestUxd(ReaderContract):
    reader = UxdReader()
    files = ("uxd/sample1.uxd",)


class TestUdf(ReaderContract):
    reader = UdfReader()
    files = ("philips_udf/sample1.udf",)


class TestRd(ReaderContract):
    reader = RdReader()
    files = ("philips_rd/CORUNDUM.RD",)


class TestBrukerRaw1(ReaderContract):
    reader = BrukerRawReader()
    files = ("bruker_raw/sample3.raw",)


class TestBrukerRaw3(ReaderContract):
    reader = BrukerRawReader()
    files = ("bruker_raw/format1.raw",)


class TestBrukerRaw4(ReaderContract):
    reader = BrukerRawReader()
    files = ("bruker_raw/CO-2.raw",)


class TestRigakuRaw(ReaderContract):
    reader = RigakuRawReader()

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        head = bytearray(3058)
        head[:2] = b"FI"
        struct.pack_into("<2d", head, 984, 1.54056, 1.54439)
        struct.pack_into("<3f", head, 3004, 20, 30, 0.02)
        path = tmp_path / "made.raw"
        path.write_bytes(bytes(head) + (np.arange(501.0) % 97).astype("<f4").tobytes())
        return path


class TestRigakuRawTagged(ReaderContract):
    reader = RigakuRawReader()

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        data = bytearray(3158)
        data[:4] = b"FI\0\0"
        struct.pack_into("<2d", data, 1212, 1.54056, 1.54439)
        data[2136:2140] = b"PI\0\0"
        struct.pack_into("<4f", data, 2958, 1, 20, 30, 0.02)
        struct.pack_into("<4s4I", data, 3138, b"DA\0\0", 2008, 2012, 0, 501)
        path = tmp_path / "made.raw"
        path.write_bytes(bytes(data) + (np.arange(501.0) % 97).astype("<f4").tobytes())
        return path


class TestStoe(ReaderContract):
    reader = StoeReader()
    files = ("stoe_raw/stoe.raw",)


class TestGsas(ReaderContract):
    reader = GsasReader()
    files = ("gsas/FAP.XRA",)


class TestPowderSteps(ReaderContract):
    reader = PowderStepsReader()
    files = ("xye/PSI_DMC.dat",)


class TestCifProfile(ReaderContract):
    reader = CifReader()
    files = ("pdcif/ALUMINA.cif",)


class TestCifStructure(ReaderContract):
    reader = CifReader()
    files = ("cif_structure/Calcite.cif",)
