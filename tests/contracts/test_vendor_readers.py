"""Contract of the vendors' binary formats, on real files."""

from __future__ import annotations

from reader_contract import ReaderContract

from spectrogen_app.io.readers.omnic import OmnicReader
from spectrogen_app.io.readers.opus import OpusReader
from spectrogen_app.io.readers.spc import SpcReader
from spectrogen_app.io.readers.wdf import WdfReader


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
