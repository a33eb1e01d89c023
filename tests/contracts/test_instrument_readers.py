"""Contract of the readers of binaries, containers and vendors' text, on real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from reader_contract import ReaderContract

from spectrogen_app.data.axis import XKind
from spectrogen_app.io import registry
from spectrogen_app.io.base import Reader
from spectrogen_app.io.readers.refused import RefusedReader

FILES = {
    "agilent": "agilent/4_noimage_agg256.dat",
    "andor-sif": "andor/Andor_kinetic.sif",
    "avantes-8": "avantes/feather.RFL8",
    "avantes-6": "avantes/avantes_trans.TRM",
    "avantes-text": "avantes/avasoft8.txt",
    "bwtek": "bwtek/lamp Ne 10ms 0%.txt",
    "envi": "agilent/4_noimage_agg256.hdr",
    "gasmet": "other_spe/06dvan_BS_cdst_Diesel_run3_281011_00001.SPE",
    "kaiser-text": "kaiser_txt/test-lo-4.txt",
    "labspec-text": "labspec/lasertest1.txt",
    "labspec-xml": "labspec/jobinyvon_test_map_x3-y2.xml",
    "matlab": "witec/LineX.mat",
    "nexus": "nexus_hdf5/witec_ref.nxs",
    "ocean-text": "ocean/OO_comma.txt",
    "ocean-procspec": "ocean/OceanOptics_Windows.ProcSpec",
    "perkinelmer-sp": "perkinelmer_sp/single_PE_spectrum.sp",
    "perkinelmer-fl": "perkinelmer_sp/A1701001.SP",
    "perkinelmer-asp": "perkinelmer_asp/ftir_ldpe_soil.asp",
    "photothermal": "photothermal/Nodax_Spectral_Array.ptir",
    "princeton-spe": "princeton_spe/raman_spectrum_silicon.spe",
    "renishaw-text": "renishaw_txt/laser.txt.gz",
    "shimadzu-spc": "spc/UV-2600_labeled_DNA.spc",
    "shimadzu-text": "shimadzu_txt/UV-VIS-NIR.TXT",
    "trivista": "trivista_tvf/linescan.tvf",
    "vamas": "vamas/PVAPBN.VMS",
    "wasatch": "raman_txt_misc/Neon_Wasatch_Probe_2000msx15.csv",
    "witec-text": "witec/Example_ASCII_export.txt",
    "xlsx": "xlsx/TestFile1.xlsx",
}


def _reader(name: str) -> Reader:
    return next(r for r in registry.READERS if r.name == name)


def _contract(reader_name: str, file: str) -> type[ReaderContract]:
    members = {"reader": _reader(reader_name), "files": (file,), "__module__": __name__}
    return type("Test" + reader_name.title().replace("-", ""), (ReaderContract,), members)


globals().update({c.__name__: c for c in (_contract(n, f) for n, f in FILES.items())})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.wip", b"WIT_PRCT\x0d\0\0\0WITec Project", "WITec"),
        ("a.l6s", b"LabSpec6\0\0\0", "LabSpec"),
        ("a.opj", b"CPYA 4.2673 552#\n\0\0\0", "Origin"),
        ("a.unk", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Shimadzu"),
        ("a.jws", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Jasco"),
        ("a.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "compound document"),
        ("a.mnova", b"\0\1\2\3" * 200, "Mnova"),
        ("a.npy", b"\x93NUMPY\1\0v\0", "NumPy"),
    ],
)
def test_known_formats_are_refused_by_name(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    verdict = registry.open_path(path)
    assert verdict.error is not None
    assert said in verdict.error.message
    assert verdict.error.hint


def test_a_text_is_not_refused_for_its_extension(tmp_path: Path) -> None:
    path = tmp_path / "a.mnova"
    path.write_text("".join(f"{x}\t{x * x}\n" for x in range(50)))
    assert registry.open_path(path).ok


def test_refused_formats_are_told_apart_in_the_table() -> None:
    rows = [f for f in registry.formats() if f.name.startswith("refused-")]
    assert len(rows) == sum(isinstance(r, RefusedReader) for r in registry.READERS)
    assert all(f.tested_on.startswith("not read") for f in rows)


@pytest.mark.parametrize("file", ["bwtek/lamp Ne 10ms 0%.txt", "perkinelmer_sp/A1701001.SP"])
def test_the_users_modality_wins(shared_data: Path, file: str) -> None:
    (spectrum,) = registry.read(shared_data / "instruments" / file, modality="ir")
    assert spectrum.modality == "ir"
    assert spectrum.x_kind in (XKind.WAVENUMBER, XKind.WAVELENGTH)
