"""STOE RAW (WinXPOW), revisions 1.03 to 1.06: powder patterns in records of 512 bytes.

The first record names the revision, the date, the title, the wavelengths (float32 at 322), how many
ranges were measured (int16 at 378), and for up to eight ranges the record of their header (from 1)
and the number of records with their counts (int16 at 480 and 496). A range header has start and end
time, the number of points (34), a factor by which counts were multiplied (40), begin, end and step
of 2theta and omega (44 to 67), the time per step, and the least and largest count (120). Counts are
integers of 4 bytes, or of 2 where so many records do not hold 4.

Seen in the real file: sample and title within one run of texts; the least and largest count of the
header agree with the counts to the last one.
"""

from __future__ import annotations

import numpy as np

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern
from spectrogen_app.io.safe import array, field, fields, text_field

_RECORD = 512
_MOST_RANGES = 8
_NO_TITLE = "This file has no Title"


class StoeReader(Reader):
    """STOE RAW files."""

    name = "stoe-raw"
    label = "STOE RAW"
    vendors = "STOE WinXPOW"
    extensions = (".raw",)
    tested_on = "1 real file of revision 1.06 with one range; more ranges untested on a real file"

    def sniff(self, source: Source) -> bool:
        """Whether the first bytes name a revision."""
        return source.head.startswith(b"RAW_1.0")

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        revision = text_field(source, 4, 4)
        if revision not in ("1.03", "1.04", "1.05", "1.06"):
            raise source.refuse(
                f"is STOE RAW of revision {revision}; 1.03 to 1.06 are known.", "Export it as xy."
            )
        planned, done = fields(source, "<2h", 376)
        if not 0 < done <= _MOST_RANGES:
            raise source.refuse(f"holds {done} measured ranges.", "It was not finished.")
        if done < planned:
            source.warn(f"The measurement was stopped after {done} of {planned} ranges.")
        heads, records = fields(source, "<8h", 480), fields(source, "<8h", 496)
        first, second = fields(source, "<2f", 322)
        metadata = {
            "revision": revision, "program": text_field(source, 8, 8),
            "date": text_field(source, 16, 16), "title": text_field(source, 32, 80),
            "comment": text_field(source, 112, 192), "K-alpha1": first, "K-alpha2": second,
            "tube (kV, mA)": fields(source, "<2h", 318),
        }  # fmt: skip
        return [
            _range(
                source, _RECORD * (heads[i] - 1), records[i], layout, metadata=metadata,
                name=source.path.stem + (f" range {i + 1}" if done > 1 else ""),
                wavelength=(2 * first + second) / 3 if 0.1 < second < 5 else first,
            )
            for i in range(done)
        ]  # fmt: skip


def _range(
    source: Source, at: int, records: int, layout: TextLayout | None, *, metadata: dict,
    name: str, wavelength: float,
) -> Spectrum:  # fmt: skip
    count = field(source, "<h", at + 34, "range header")
    factor, begin, omega, end, _, step = fields(source, "<6f", at + 40, "range header")
    time = field(source, "<f", at + 68, "range header")
    least, most = fields(source, "<2i", at + 120, "range header")
    if count < 2 or not (abs(begin) < 400 and 0 < abs(step) < 10):
        raise source.refuse(
            f"has a range of {count} points from {begin:g}° in steps of {step:g}°.",
            "It is damaged, or was not finished.",
        )
    if abs(begin + (count - 1) * step - end) > 1.5 * abs(step):
        source.warn(f"The range was to end at {end:g}°; its {count} points end before or behind.")
    wide = _RECORD * records >= 4 * count
    y = array(source, "<i4" if wide else "<i2", at + _RECORD, count, "counts")
    if most > 0 and (y.min(), y.max()) != (least, most):
        raise source.refuse(
            f"has counts from {y.min():g} to {y.max():g}; its header says {least} to {most}.",
            "It is damaged, or of a variant that is not known; export it as xy.",
        )
    title = str(metadata["title"])
    about = {
        **metadata, "start": text_field(source, at, 16), "end": text_field(source, at + 16, 16),
        "time per step (s)": time, "omega": omega,
    }  # fmt: skip
    return pattern(
        source, begin + step * np.arange(count), y / max(factor, 1.0), layout=layout,
        wavelength=wavelength, sample="" if title == _NO_TITLE else title, name=name,
        metadata=about,
    )  # fmt: skip
