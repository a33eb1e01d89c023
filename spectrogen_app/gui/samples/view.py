"""Passive view of the samples: a tree with check box, colour, modality and origin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from spectrogen_app.app.session import PALETTE, Curve, Sample, SessionState, sample_key
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.provenance import Origin
from spectrogen_app.gui.theme import LIGHT, Theme, icon, swatch
from spectrogen_app.gui.widgets import counted, label, named, tool_button

Qt = QtCore.Qt
ID, KIND, TEXT, NAME = (Qt.ItemDataRole.UserRole + i for i in range(4))
SHORT = {"raman": "Raman", "ir": "IR", "xrd": "XRD", "fir": "Far IR", "uvvis": "UV-Vis",
         "emission": "Emission", "unknown": "Other"}  # fmt: skip


class _Tree(QtWidgets.QTreeWidget):
    """Drags curves onto samples; files dragged over it are left to the window."""

    dropped = QtCore.Signal(list, str)
    delete_pressed = QtCore.Signal()

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QtGui.QDragMoveEvent) -> None:
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        target = self.itemAt(event.position().toPoint())
        if target is not None and target.parent() is not None:
            target = target.parent()
        ids = [i.data(0, ID) for i in self.selectedItems() if i.data(0, KIND) == "curve"]
        if ids:
            self.dropped.emit(ids, target.data(0, ID) if target is not None else "")
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_Space and (item := self.currentItem()) is not None:
            on = item.checkState(0) is not Qt.CheckState.Checked
            for chosen in self.selectedItems() or [item]:
                chosen.setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        else:
            super().keyPressEvent(event)


class _NameDelegate(QtWidgets.QStyledItemDelegate):
    """Edits the name alone, of a row that shows more."""

    def __init__(
        self, tree: QtWidgets.QTreeWidget, renamed: Callable[[QtCore.QModelIndex, str], None]
    ) -> None:
        super().__init__(tree)
        self._renamed = renamed

    def setEditorData(self, editor: QtWidgets.QWidget, index: Any) -> None:
        if isinstance(editor, QtWidgets.QLineEdit):
            editor.setText(index.data(NAME))
            editor.setAccessibleName("New name")

    def setModelData(self, editor: QtWidgets.QWidget, _model: Any, index: Any) -> None:
        if isinstance(editor, QtWidgets.QLineEdit):
            self._renamed(index, editor.text())


class SamplesView(QtWidgets.QWidget):
    """The tree, a search box above it and a count below.

    Signals
    -------
    shown(ids, visible), selected(curve or "", sample or "", ids), moved(ids, sample or ""),
    renamed(kind, id, text), recoloured(id, colour), removed(ids), solo_toggled(bool),
    show_only(ids), export_wanted(ids)
    """

    shown = QtCore.Signal(list, bool)
    selected = QtCore.Signal(str, str, tuple)
    moved = QtCore.Signal(list, str)
    renamed = QtCore.Signal(str, str, str)
    recoloured = QtCore.Signal(str, str)
    removed = QtCore.Signal(list)
    show_only = QtCore.Signal(list)
    export_wanted = QtCore.Signal(list)
    solo_toggled = QtCore.Signal(bool)

    def __init__(self, theme: Theme = LIGHT) -> None:
        super().__init__()
        self._theme = theme
        self._items: dict[str, QtWidgets.QTreeWidgetItem] = {}
        self._samples: dict[str, Sample] = {}
        self._busy = False
        self._told: tuple[str, str, tuple[str, ...]] | None = None
        self.search = named(
            QtWidgets.QLineEdit(), "Search the samples", "By name, modality or formula"
        )
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.solo = tool_button(
            "solo", "Show the current sample only", "Show the current sample only (S)", True
        )
        self.solo.clicked.connect(self.solo_toggled)
        self.tree = named(_Tree(), "Samples", "Samples and their spectra; Space shows or hides")
        self.tree.setHeaderHidden(True)
        self.tree.setItemDelegate(_NameDelegate(self.tree, self._renamed))
        self.tree.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setDragDropMode(QtWidgets.QAbstractItemView.DragDropMode.DragDrop)
        self.tree.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.tree.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.EditKeyPressed)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(16)
        self.tree.setIconSize(QtCore.QSize(20, 14))
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.count = label(role="muted")
        top = QtWidgets.QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(self.solo)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 4, 6)
        layout.setSpacing(7)
        layout.addLayout(top)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.count)
        self.tree.itemChanged.connect(self._item_changed)
        self.tree.itemSelectionChanged.connect(self._selection_changed)
        self.tree.currentItemChanged.connect(lambda *_: self._selection_changed())
        self.tree.dropped.connect(self.moved)
        self.tree.delete_pressed.connect(lambda: self.removed.emit(self.chosen_curves()))
        self.tree.customContextMenuRequested.connect(self._menu)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.solo.setIcon(icon("solo", theme.muted, 18))
        for action in self.search.actions():
            self.search.removeAction(action)
        self.search.addAction(
            icon("search", theme.muted, 16), QtWidgets.QLineEdit.ActionPosition.LeadingPosition
        )
        self._busy = True
        for sample in self._samples.values():
            for curve in sample.curves:
                self._dress(self._items[curve.id], curve, sample)
        self._busy = False

    def show_state(self, state: SessionState) -> None:
        """Bring the tree in step with the session; what is unchanged is left alone."""
        self._busy = True
        alive = {s.id for s in state.samples}
        for gone in [i for i in self._samples if i not in alive]:
            self._remove(gone)
        for place, sample in enumerate(state.samples):
            if self._samples.get(sample.id) is sample:
                continue
            self._show_sample(sample, place)
        self._busy = False
        curves = sum(len(s.curves) for s in state.samples)
        shown = sum(c.visible for c in state.curves())
        samples = counted(len(state.samples), "sample", "samples")
        spectra = counted(curves, "spectrum", "spectra")
        self.count.setText(f"{samples}, {spectra}, {shown:,} shown" if curves else "")
        if self.search.text():
            self._filter(self.search.text())

    def show_selection(
        self, curve: str | None, sample: str | None, curves: tuple[str, ...]
    ) -> None:
        """Mark what is selected."""
        if self._told == (curve or "", sample or "", curves):
            return
        self._busy = True
        wanted = [i for i in curves if i in self._items]
        if (not curves and sample in self._items) or (
            len(curves) > 1 and sample in self._items and curve is None
        ):
            wanted = [sample]
        current = self._items.get(curve or "") or (self._items[wanted[0]] if wanted else None)
        model, step = self.tree.selectionModel(), QtCore.QItemSelectionModel.SelectionFlag
        if current is not None:
            model.setCurrentIndex(self.tree.indexFromItem(current), step.NoUpdate)
        chosen = QtCore.QItemSelection()
        for index in (self.tree.indexFromItem(self._items[i]) for i in wanted):
            chosen.select(index, index)
        model.select(chosen, step.ClearAndSelect)
        self._busy = False

    def chosen_curves(self) -> list[str]:
        """All chosen curves; those of a chosen sample count."""
        found: dict[str, None] = {}
        for item in self.tree.selectedItems():
            if item.data(0, KIND) == "curve":
                found[item.data(0, ID)] = None
            else:
                found |= dict.fromkeys(c.id for c in self._samples[item.data(0, ID)].curves)
        return list(found)

    def _show_sample(self, sample: Sample, place: int) -> None:
        before = self._samples.get(sample.id)
        self._samples[sample.id] = sample
        if before is not None and _looks(before) == _looks(sample):
            return
        item = self._items.get(sample.id)
        if item is None:
            item = QtWidgets.QTreeWidgetItem()
            item.setData(0, ID, sample.id)
            item.setData(0, KIND, "sample")
            item.setFlags(
                item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable
                | Qt.ItemFlag.ItemIsDropEnabled
            )  # fmt: skip
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDragEnabled)
            font = QtGui.QFont(self.tree.font())
            font.setWeight(QtGui.QFont.Weight.DemiBold)
            item.setFont(0, font)
            self._items[sample.id] = item
        item.setText(0, sample.name)
        item.setData(0, NAME, sample.name)
        item.setToolTip(0, f"{sample.name}\n{sample.formula}" if sample.formula else sample.name)
        item.setData(0, TEXT, f"{sample.name} {sample.formula or ''}".casefold())
        keep = {c.id for c in sample.curves}
        for curve in before.curves if before is not None else ():
            child = self._items.get(curve.id)
            if curve.id not in keep and child is not None and child.parent() is item:
                item.removeChild(self._items.pop(curve.id))
        known = before.curves if before is not None and before.name == sample.name else ()
        dressed = {id(c) for c in known}
        for at, curve in enumerate(sample.curves):
            child = self._items.get(curve.id)
            if child is None:
                child = self._make(curve)
                self._dress(child, curve, sample)
                item.insertChild(at, child)
                continue
            if child.parent() is not item or item.indexOfChild(child) != at:
                home = child.parent()
                if home is not None:
                    home.removeChild(child)
                item.insertChild(at, child)
            if id(curve) not in dressed:
                self._dress(child, curve, sample)
        states = {c.visible for c in sample.curves}
        item.setCheckState(
            0, Qt.CheckState.PartiallyChecked if len(states) > 1
            else Qt.CheckState.Checked if True in states else Qt.CheckState.Unchecked,
        )  # fmt: skip
        if before is None:
            self.tree.insertTopLevelItem(place, item)
            item.setExpanded(True)

    def _make(self, curve: Curve) -> QtWidgets.QTreeWidgetItem:
        item = self._items[curve.id] = QtWidgets.QTreeWidgetItem()
        item.setData(0, ID, curve.id)
        item.setData(0, KIND, "curve")
        item.setFlags(
            (item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable)
            & ~Qt.ItemFlag.ItemIsDropEnabled
        )
        return item

    def _dress(self, item: QtWidgets.QTreeWidgetItem, curve: Curve, sample: Sample) -> None:
        spectrum = curve.spectrum
        origin = "" if spectrum.origin is Origin.MEASURED else spectrum.origin.value
        name = spectrum.name or "Spectrum"
        item.setText(0, shown_name(curve, sample))
        item.setData(0, NAME, name)
        item.setIcon(0, swatch(curve.colour, spectrum.origin.value, self._theme))
        item.setData(0, TEXT, f"{name} {MODALITIES[spectrum.modality].label} {origin} "
                     f"{spectrum.formula or ''} {SHORT[spectrum.modality]}".casefold())  # fmt: skip
        item.setToolTip(0, _about(curve))
        item.setCheckState(0, Qt.CheckState.Checked if curve.visible else Qt.CheckState.Unchecked)

    def _remove(self, sample_id: str) -> None:
        sample = self._samples.pop(sample_id)
        item = self._items.pop(sample_id)
        for curve in sample.curves:
            child = self._items.get(curve.id)
            if child is not None and child.parent() is item:
                del self._items[curve.id]
        self.tree.takeTopLevelItem(self.tree.indexOfTopLevelItem(item))

    def _item_changed(self, item: QtWidgets.QTreeWidgetItem, column: int) -> None:
        if self._busy or column:
            return
        kind, own = item.data(0, KIND), item.data(0, ID)
        on = item.checkState(0) is Qt.CheckState.Checked
        if kind == "sample":
            curves = self._samples[own].curves
        else:
            curves = tuple(c for c in self._samples[_home(item)].curves if c.id == own)
        changed = [c.id for c in curves if c.visible is not on]
        if changed:
            self.shown.emit([c.id for c in curves], on)

    def _renamed(self, index: QtCore.QModelIndex, text: str) -> None:
        """Tell the new name, once the editor is closed."""
        kind, own, new = index.data(KIND), index.data(ID), text.strip()
        if new and new != index.data(NAME):
            QtCore.QTimer.singleShot(0, self, lambda: self.renamed.emit(kind, own, new))

    def _selection_changed(self) -> None:
        self._told = None if self._busy else self._chosen()
        if self._told is not None:
            self.selected.emit(*self._told)
        self._told = None

    def _chosen(self) -> tuple[str, str, tuple[str, ...]] | None:
        """Current curve, its sample and all chosen curves; a sample of one curve stands for it."""
        current = self.tree.currentItem()
        chosen = self.tree.selectedItems()
        if current is None or not chosen:
            return None
        if current not in chosen:
            current = chosen[-1]
        curves = tuple(self.chosen_curves())
        if current.data(0, KIND) == "curve":
            return current.data(0, ID), _home(current), curves
        return (curves[0] if len(curves) == 1 else ""), current.data(0, ID), curves

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for sample in self._samples.values():
            item = self._items[sample.id]
            own = item.data(0, TEXT)
            found = False
            for curve in sample.curves:
                child = self._items[curve.id]
                fits = all(w in own or w in child.data(0, TEXT) for w in words)
                child.setHidden(not fits)
                found |= fits
            item.setHidden(not found)

    def _menu(self, place: QtCore.QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is None:
            return
        menu = self.menu_for(item)
        menu.exec(self.tree.viewport().mapToGlobal(place))
        menu.deleteLater()

    def menu_for(self, item: QtWidgets.QTreeWidgetItem) -> QtWidgets.QMenu:
        """The context menu of a row."""
        ids = self.chosen_curves()
        many = f" {len(ids)} spectra" if len(ids) > 1 else ""
        menu = QtWidgets.QMenu(self)

        def add(text: str, act: Callable[[], object], key: str = "") -> None:
            action = menu.addAction(text)
            action.triggered.connect(lambda _=False: act())
            if key:
                action.setShortcut(QtGui.QKeySequence(key))

        add(f"Show only{many or ' this'}", lambda: self.show_only.emit(ids))
        add(f"Show{many}", lambda: self.shown.emit(ids, True))
        add(f"Hide{many}", lambda: self.shown.emit(ids, False))
        menu.addSeparator()
        add("Rename", lambda: self.tree.editItem(item, 0), "F2")
        if item.data(0, KIND) == "curve":
            colours = menu.addMenu("Colour")
            for colour in PALETTE:
                action = colours.addAction(
                    swatch(colour, "measured", self._theme), _COLOUR_NAMES[colour]
                )
                action.triggered.connect(
                    lambda _=False, c=colour: self.recoloured.emit(item.data(0, ID), c)
                )
            colours.addSeparator()
            other = colours.addAction("Other…")
            other.triggered.connect(lambda _=False: self._pick_colour(item.data(0, ID)))
        add("Move to a new sample", lambda: self.moved.emit(ids, ""))
        menu.addSeparator()
        add(f"Export{many}…", lambda: self.export_wanted.emit(ids))
        add(f"Delete{many}", lambda: self.removed.emit(ids), "Del")
        return menu

    def _pick_colour(self, curve_id: str) -> None:
        chosen = QtWidgets.QColorDialog.getColor(parent=self, title="Colour of the curve")
        if chosen.isValid():
            self.recoloured.emit(curve_id, chosen.name())


_COLOUR_NAMES = dict(
    zip(
        PALETTE,
        ("Blue", "Red", "Green", "Purple", "Orange", "Cyan", "Brown", "Pink", "Grey", "Olive"),
        strict=True,
    )
)


def _home(item: QtWidgets.QTreeWidgetItem) -> str:
    """Id of the sample of a curve's row."""
    parent = item.parent()
    return parent.data(0, ID) if parent is not None else ""


def _looks(sample: Sample) -> tuple[object, ...]:
    """All that its rows depend on."""
    return (
        sample.name, sample.formula,
        *((c.id, id(c.spectrum), c.colour, c.visible) for c in sample.curves),
    )  # fmt: skip


def shown_name(curve: Curve, sample: Sample) -> str:
    """A row's text: what is called like its sample is named by its modality alone."""
    s = curve.spectrum
    laser = f" {s.laser_nm:.0f} nm" if s.laser_nm and s.modality == "raman" else ""
    origin = "" if s.origin is Origin.MEASURED else f", {s.origin.value}"
    if s.origin is Origin.GENERATED or sample_key(s.name) in ("", sample_key(sample.name)):
        return MODALITIES[s.modality].label + laser + origin
    return f"{s.name}  ·  {SHORT[s.modality]}{laser}{origin}"


def _about(curve: Curve) -> str:
    """Tool tip of a curve: where it is from and what it holds."""
    s = curve.spectrum
    lines = [
        s.name, f"{MODALITIES[s.modality].label}, {s.origin.value}, {len(s):,} points",
        f"{s.x_label}: {s.x[0]:.6g} to {s.x[-1]:.6g}",
    ]  # fmt: skip
    if s.formula:
        lines.append(s.formula)
    if s.provenance.path:
        lines.append(s.provenance.path)
    lines += [f"• {step}" for step in s.provenance.steps]
    made = s.provenance.generation
    if made is not None:
        lines.append(f"Generated by {made.model_id}, familiarity {made.familiarity:.2f}")
    return "\n".join(line for line in lines if line)
