"""The shared figure helper: size, bytes, titles, and what happens without Matplotlib."""

from __future__ import annotations

import errno
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from gafas.errors import OutputError
from gafas.imaging import read_image

pytest.importorskip("matplotlib")
from gafas.report import style


def test_size_is_inches_times_dpi(tmp_path: Path) -> None:
    style.save_figure(style.new_figure(4, 3), tmp_path / "empty.png")
    assert read_image(tmp_path / "empty.png").shape == (3 * style.DPI, 4 * style.DPI, 3)


def test_bytes_tell_no_date_and_no_version(tmp_path: Path) -> None:
    style.save_figure(style.new_figure(2, 2), tmp_path / "empty.png")
    data = (tmp_path / "empty.png").read_bytes()
    assert b"tEXt" not in data
    assert b"tIME" not in data


def test_makes_the_folder(tmp_path: Path) -> None:
    style.save_figure(style.new_figure(2, 2), tmp_path / "new" / "deep" / "empty.png")
    assert (tmp_path / "new" / "deep" / "empty.png").is_file()


def test_a_full_disk_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_half_way(self: Any, path: Path, **_: Any) -> None:
        Path(path).write_bytes(b"\x89PNG half")
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "curves.png"
    target.write_bytes(b"earlier")
    monkeypatch.setattr(style.Figure, "savefig", fail_half_way)
    with pytest.raises(OutputError, match=r"curves\.png: not written: No space left"):
        style.save_figure(style.new_figure(2, 2), target)
    assert target.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "curves.png").mkdir()
    with pytest.raises(OutputError, match=r"curves\.png: is a folder; name a file"):
        style.save_figure(style.new_figure(2, 2), tmp_path / "curves.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["curves.png"]


@pytest.mark.parametrize(
    ("title", "synthetic", "want"),
    [
        ("ROC", False, "ROC"),
        ("ROC", True, "SYNTHETIC DATA · ROC"),
        ("", True, "SYNTHETIC DATA"),
    ],
)
def test_synthetic_title(title: str, synthetic: bool, want: str) -> None:
    assert style.synthetic_title(title, synthetic) == want


def test_a_long_title_fits_the_width() -> None:
    figure = style.new_figure(4, 4)
    style.set_title(figure, "a model with a very long name " * 4, synthetic=True, note="3 of 4 right")
    figure.draw_without_rendering()
    (title,) = figure.texts
    assert title.get_text().startswith("SYNTHETIC DATA")
    assert title.get_text().endswith("\n3 of 4 right")
    extent = title.get_window_extent()
    assert extent.x0 >= 0
    assert extent.x1 <= figure.bbox.width


def test_titles_are_no_formulas_and_lacking_glyphs_stay_quiet(tmp_path: Path) -> None:
    figure = style.new_figure(4, 2)
    style.set_title(figure, "$x^ 写真", synthetic=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        style.save_figure(figure, tmp_path / "odd.png")


def test_without_matplotlib_the_install_line_is_named() -> None:
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "from gafas.errors import MissingExtraError\n"
        "try:\n"
        "    import gafas.report.plots\n"
        "except MissingExtraError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "drawing pictures needs: pip install 'gafas[report]'\n"


def test_drawing_opens_no_window_and_keeps_no_figures() -> None:
    code = "import sys, gafas.report.plots; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
