"""Draw ``resources/icons/spectrogen.svg`` in every size and container that the systems want."""

import struct
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "icons"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
ICNS = {b"icp4": 16, b"icp5": 32, b"icp6": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512}


def draw(renderer: QSvgRenderer, size: int) -> bytes:
    """The icon as PNG, ``size`` pixels square."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """Windows icon that holds PNG pictures."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    at = len(head) + 16 * len(pictures)
    for size, data in pictures.items():
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), at)
        at += len(data)
    return head + b"".join(pictures.values())


def icns(pictures: dict[int, bytes]) -> bytes:
    """macOS icon that holds PNG pictures."""
    body = b"".join(
        kind + struct.pack(">I", len(pictures[size]) + 8) + pictures[size]
        for kind, size in ICNS.items()
    )
    return b"icns" + struct.pack(">I", len(body) + 8) + body


def main() -> None:
    """Write all files beside the drawing."""
    app = QGuiApplication([])
    renderer = QSvgRenderer(str(FOLDER / "spectrogen.svg"))
    pictures = {size: draw(renderer, size) for size in SIZES}
    for size, data in pictures.items():
        (FOLDER / f"spectrogen-{size}.png").write_bytes(data)
    (FOLDER / "spectrogen.ico").write_bytes(
        ico({s: pictures[s] for s in (16, 24, 32, 48, 64, 128, 256)})
    )
    (FOLDER / "spectrogen.icns").write_bytes(icns(pictures))
    app.quit()


if __name__ == "__main__":
    main()
