"""Formats that are known by name and not read: each refusal says what to do instead.

Their files are documented by nobody, or hold no spectra. ``.wip`` of WITec and ``.l6s`` of LabSpec
were looked at; both programs export text, which is read.
"""

from __future__ import annotations

from typing import ClassVar

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.compound import OLE
from spectrogen_app.io.readers.text import is_text


class RefusedReader(Reader):
    """One format that is only named; see :data:`REFUSED`.

    Attributes
    ----------
    magics : tuple of bytes
        First bytes; any of them tells the format.
    within : bytes
        Must stand in the head besides, if not empty.
    by_name : bool
        The extension is needed as well (and, without ``magics``, decides for what is no text).
    hint : str
    """

    tested_on = "not read"
    reads = False
    magics: ClassVar[tuple[bytes, ...]] = ()
    within: ClassVar[bytes] = b""
    by_name: ClassVar[bool] = False
    hint: ClassVar[str] = ""

    def sniff(self, source: Source) -> bool:
        """Whether first bytes or extension are those of the format."""
        if self.magics and not source.head.startswith(self.magics):
            return False
        if self.within and self.within not in source.head:
            return False
        if not self.by_name:
            return True
        return source.suffix in self.extensions and (bool(self.magics) or not is_text(source.head))

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """Refuse, always."""
        raise source.refuse(f"is {self.label}, which is not read.", self.hint)


def _known(
    name: str,
    label: str,
    hint: str,
    *,
    magics: tuple[bytes, ...] = (),
    extensions: tuple[str, ...] = (),
    within: bytes = b"",
    by_name: bool = False,
) -> Reader:
    """An instance of a new subclass of :class:`RefusedReader`."""
    members = {
        "name": f"refused-{name}", "label": label, "vendors": "", "extensions": extensions,
        "magics": magics, "within": within, "by_name": by_name, "hint": hint,
        "tested_on": f"not read. {hint}", "__doc__": label,
    }  # fmt: skip
    return type(f"Refused_{name}", (RefusedReader,), members)()


_TEXT = "Export it from its program as text, CSV or JCAMP-DX."

REFUSED: tuple[Reader, ...] = (
    _known("witec", "a WITec project (.wip, .wid)",
           "Open it in WITec Project and export the spectra as ASCII (File, Export, Table).",
           magics=(b"WIT_PR", b"WIT_DATA"), extensions=(".wip", ".wid")),
    _known("labspec6", "a LabSpec 6 file (.l6s, .l6m)",
           "Open it in LabSpec 6 and save it as .txt or .xml.",
           magics=(b"LabSpec6",), extensions=(".l6s", ".l6m", ".l6v")),
    _known("labspec5", "a LabSpec 4 or 5 file",
           "Open it in LabSpec and save it as .txt.",
           extensions=(".ngs", ".ngc", ".tsf"), by_name=True),
    _known("origin", "an Origin project (.opj, .opju)",
           "Export the worksheet from Origin as ASCII or xlsx.",
           magics=(b"CPYA ", b"CPYUA "), extensions=(".opj", ".opju")),
    _known("shimadzu-ole", "a Shimadzu file (.unk, .phd, .irs)",
           "Open it in its program and export it as text or JCAMP-DX.",
           magics=(OLE,), extensions=(".unk", ".phd", ".irs"), by_name=True),
    _known("jasco", "a Jasco file (.jws)",
           "Export it from Spectra Manager as JCAMP-DX or text.",
           magics=(OLE,), extensions=(".jws",), by_name=True),
    _known("wire2", "an old Renishaw WiRE 1 or 2 file (.wxd, .wxm)",
           "Open it in WiRE and save it as .wdf or .txt.",
           magics=(OLE,), extensions=(".wxd", ".wxm", ".wxi"), by_name=True),
    _known("xls", "an old Excel workbook (.xls)", "Save it as .xlsx or CSV.",
           magics=(OLE,), extensions=(".xls",), by_name=True),
    _known("ole", "a compound document of a program that is not known", _TEXT, magics=(OLE,)),
    _known("ods", "an OpenDocument spreadsheet (.ods)", "Save it as .xlsx or CSV.",
           magics=(b"PK\x03\x04",), within=b"opendocument.spreadsheet", extensions=(".ods",)),
    _known("word", "a Word or PowerPoint document", "Copy the table into a CSV file.",
           magics=(b"PK\x03\x04",), within=b"word/", extensions=(".docx",), by_name=True),
    _known("mnova", "a Mnova document (.mnova)",
           "Export the spectrum from Mnova as JCAMP-DX or text.",
           extensions=(".mnova",), by_name=True),
    _known("nmr", "a Bruker NMR file", "It is no optical spectrum; use an NMR program.",
           extensions=(".fid", ".1r", ".2rr", ".ser"), by_name=True),
    _known("igor", "an Igor Pro file (.ibw, .pxp)", "Export the waves from Igor as text.",
           extensions=(".ibw", ".pxp"), by_name=True),
    _known("numpy", "a NumPy file (.npy, .npz)", "Save x and y with numpy.savetxt.",
           magics=(b"\x93NUMPY",), extensions=(".npy",)),
    _known("fits", "a FITS file", _TEXT, magics=(b"SIMPLE  =",), extensions=(".fits", ".fit")),
    _known("netcdf", "a netCDF 3 file", _TEXT, magics=(b"CDF\x01", b"CDF\x02"),
           extensions=(".nc", ".cdf")),
    _known("hdf4", "an HDF 4 file", "Convert it to HDF5 with h4toh5.",
           magics=(b"\x0e\x03\x13\x01",), extensions=(".hdf",)),
)  # fmt: skip
"""One reader per format, to be listed before the text reader."""
