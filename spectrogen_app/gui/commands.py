"""What the user can do: the one list behind menus, keys, toolbar and help page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One action of the menus.

    Attributes
    ----------
    name, menu, text : str
    keys : tuple of str
    icon, tip : str
    checkable : bool
    plot_only : bool
        The key works while a plot has the focus; elsewhere it belongs to the control there.
    needs_spectra : bool
        It makes no sense in an empty window.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    plot_only: bool = False
    needs_spectra: bool = False

    @property
    def plain(self) -> str:
        """The text without marks."""
        return self.text.replace("&", "").rstrip("…")


COMMANDS = (
    Command("open", "&File", "&Open files…", ("Ctrl+O",), icon="open",
            tip="Open spectra (Ctrl+O); or drop them anywhere"),
    Command("folder", "&File", "Open &folder…", ("Ctrl+Shift+O",)),
    Command("examples", "&File", "Open the &examples"),
    Command("open_project", "&File", "Open &project…"),
    Command("save", "&File", "&Save project", ("Ctrl+S",), needs_spectra=True),
    Command("save_as", "&File", "Save project &as…", ("Ctrl+Shift+S",), needs_spectra=True),
    Command("export", "&File", "&Export selected spectra…", ("Ctrl+E",), icon="export",
            tip="Export the selected spectra as CSV (Ctrl+E)", needs_spectra=True),
    Command("export_visible", "&File", "Export all &visible curves…", ("Ctrl+Shift+E",),
            needs_spectra=True),
    Command("export_figure", "&File", "Export fi&gure…", needs_spectra=True),
    Command("script", "&File", "Save as P&ython script…", needs_spectra=True),
    Command("quit", "&File", "&Quit", ("Ctrl+Q",)),
    Command("undo", "&Edit", "&Undo", ("Ctrl+Z",), icon="undo"),
    Command("redo", "&Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), icon="redo"),
    Command("copy_figure", "&Edit", "&Copy figure", ("Ctrl+C",), needs_spectra=True),
    Command("copy_numbers", "&Edit", "Copy &numbers", ("Ctrl+Shift+C",), needs_spectra=True),
    Command("delete", "&Edit", "&Delete spectra", needs_spectra=True),
    Command("zoom", "&View", "&Zoom mode", ("Z",), icon="zoom", tip="Zoom mode: drag a box (Z)",
            checkable=True, needs_spectra=True),
    Command("full", "&View", "&Full view", ("A",), icon="full",
            tip="Full view (A, double-click)", needs_spectra=True),
    Command("back", "&View", "&Previous view", ("Backspace",), needs_spectra=True),
    Command("rescale", "&View", "&Rescale y", ("R",), icon="scale",
            tip="Rescale y to what is visible (R)", needs_spectra=True),
    Command("grid", "&View", "&Grid", ("G",), icon="grid", tip="Grid (G)", checkable=True),
    Command("peaks", "&View", "&Peak positions", ("L",), icon="label",
            tip="Write peak positions on the plot (L)", checkable=True, needs_spectra=True),
    Command("units", "&View", "Next x &unit", ("U",), needs_spectra=True),
    Command("residual", "&View", "Res&idual strip", ("Space",), icon="residual",
            tip="Residual strip (Space, in a plot)", plot_only=True, needs_spectra=True),
    Command("solo", "&View", "Current &sample only", ("S",), icon="solo",
            tip="Show the current sample only (S)", checkable=True, needs_spectra=True),
    Command("next", "&Spectra", "&Next spectrum", ("PgDown",), needs_spectra=True),
    Command("previous", "&Spectra", "&Previous spectrum", ("PgUp",), needs_spectra=True),
    Command("find", "&Spectra", "&Search the samples", ("Ctrl+F",)),
    Command("verdicts", "&Spectra", "&List of opened files", ("Ctrl+L",), checkable=True),
    Command("peak_mode", "&Peaks", "&Add peaks by mouse", ("P",), icon="peaks",
            tip="Add peaks by mouse: click, or drag out a width (P)", checkable=True,
            needs_spectra=True),
    Command("auto_peaks", "&Peaks", "Find peaks auto&matically", ("Shift+F",),
            needs_spectra=True),
    Command("fit", "&Peaks", "&Fit", ("F",), icon="fit", tip="Fit the peaks (F)",
            needs_spectra=True),
    Command("at_residual", "&Peaks", "Add a peak at the largest &residual", ("Shift+P",),
            needs_spectra=True),
    Command("simplify", "&Peaks", "&Simplify", needs_spectra=True),
    Command("delete_peak", "&Peaks", "&Remove the selected peak", ("Del",), plot_only=True,
            needs_spectra=True),
    Command("generate", "&Generate", "&Generate", ("Ctrl+G",), icon="generate",
            tip="Generate what is ticked on the Generate tab (Ctrl+G)", needs_spectra=True),
    Command("card", "&Generate", "&Model card"),
    Command("help", "&Help", "&Help and keys", ("F1",), icon="help"),
    Command("formats", "&Help", "&File formats"),
    Command("updates", "&Help", "Check for &updates",
            tip="Open the page of releases in the browser; the program itself asks no network"),
    Command("about", "&Help", "&About SpectroGen"),
)  # fmt: skip
