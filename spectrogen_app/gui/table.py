"""What the models of flat tables share."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

from PySide6 import QtCore

Qt = QtCore.Qt


class TableModel(QtCore.QAbstractTableModel):
    """A table with titles over its columns and numbers beside its rows.

    Attributes
    ----------
    heads : sequence of str
        Titles of the columns.
    """

    heads: Sequence[str] = ()

    def rows(self) -> Sized:
        """What there is one row for each of."""
        raise NotImplementedError

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows())

    def columnCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.heads)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.heads[section] if orientation is Qt.Orientation.Horizontal else section + 1
