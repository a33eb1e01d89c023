"""Shimadzu UVProbe text: sections in brackets with ``key:<tab>value``, then ``[DATA]``.

Seen in a real file: the ordinate is named by ``Measuring Mode`` alone, and transmittance is in
percent; decimal commas in the header and points in the table of one and the same file.
"""

from __future__ import annotations

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.columns import columns, pairs
from spectrogen_app.io.recognise import x_axis

MODES = {
    "transmittance": YUnit.TRANSMITTANCE_PERCENT, "reflectance": YUnit.REFLECTANCE_PERCENT,
    "absorbance": YUnit.ABSORBANCE, "energy": YUnit.INTENSITY,
}  # fmt: skip


class ShimadzuTextReader(Reader):
    """Shimadzu UVProbe text."""

    name = "shimadzu-text"
    label = "Shimadzu UVProbe text"
    vendors = "Shimadzu UVProbe"
    extensions = (".txt",)
    tested_on = "1 real file"

    def sniff(self, source: Source) -> bool:
        """Whether it begins with the summary of UVProbe."""
        head = source.head[:400].replace(b"\r\n", b"\n")
        return head.startswith(b"[SUMMARY]\nSoftware Information")

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        check(0.1, f"Reading {source.name}")
        head, found, body = source.text.partition("\n[DATA]\n")
        if not found:
            raise source.refuse("has no data behind its header.", "It was cut off.")
        metadata = pairs(head.split("\n"), ":")
        titles, _, table = body.partition("\n")
        values = columns(source, table, 2)
        mode = metadata.get("Measuring Mode", "").lower()
        unit = next((u for word, u in MODES.items() if word in mode), None)
        if unit is None:
            source.assume("The file does not say what its ordinate is; taken as absorbance.")
        kind, x_unit = x_axis(titles.partition("\t")[0]) or (XKind.WAVELENGTH, "nm")
        return [
            source.spectrum(
                values[:, 0], values[:, 1], modality="uvvis", x_kind=kind, x_unit=x_unit,
                y_unit=(unit or YUnit.ABSORBANCE).value, metadata=metadata,
            )
        ]  # fmt: skip
