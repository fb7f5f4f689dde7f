"""Every picture: a PNG of sensible size, right at the edges, the same bytes twice, clear errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.errors import DataError, UsageError
from gafas.imaging import Rgb, read_image
from gafas.scoring.metrics import Confusion
from gafas.values import Sample

pytest.importorskip("matplotlib")
from gafas.report import calibration as calibration_module
from gafas.report import components as components_module
from gafas.report import confusion as confusion_module
from gafas.report import curves, errors, plots, predictions, scores, style
from gafas.scoring.calibration import calibrate
from gafas.scoring.eyewear import score_eyewear

HISTORY = {
    "accuracy": [0.54, 0.8, 0.96],
    "loss": [0.73, 0.4, 0.1],
    "val_accuracy": [0.48, 0.82, 0.98],
    "val_loss": [0.8, 0.35, 0.08],
}
TARGETS = [1, 0, 1, 0, 1]
SCORES = [0.9, 0.2, 0.4, 0.6, 0.99999]
RED = (0xC0, 0, 0)


def images(n: int) -> list[Rgb]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (12, 10 + i % 3, 3), dtype=np.uint8) for i in range(n)]


def samples(targets: list[int]) -> list[Sample]:
    return [Sample(f"{i}.pgm", "sunglasses" if t else "no_sunglasses") for i, t in enumerate(targets)]


def eigenfaces(k: int) -> NDArray[np.float64]:
    return np.random.default_rng(2).normal(size=(k, 12, 10))


DRAWINGS: dict[str, Callable[..., None]] = {
    "curves": lambda path, **k: plots.plot_curves(path, HISTORY, fine_tune_at=2, **k),
    "confusion": lambda path, **k: plots.plot_confusion(path, Confusion(3, 1, 0, 4), title="Test", **k),
    "eyewear_confusion": lambda path, **k: plots.plot_eyewear_confusion(
        path,
        score_eyewear(["none", "eyeglasses", "sunglasses"], ["none", "sunglasses", "sunglasses"]),
        title="Test",
        **k,
    ),
    "reliability": lambda path, **k: plots.plot_reliability(
        path, calibrate(TARGETS, SCORES, rng=np.random.default_rng(1), resamples=20), title="Test", **k
    ),
    "errors": lambda path, **k: plots.plot_errors(path, images(5), samples(TARGETS), SCORES, n=20, title="Test", **k),
    "roc": lambda path, **k: plots.plot_roc(path, TARGETS, SCORES, threshold=0.5, title="Test", **k),
    "precision_recall": lambda path, **k: plots.plot_precision_recall(
        path, TARGETS, SCORES, threshold=0.5, title="Test", **k
    ),
    "predictions": lambda path, **k: plots.plot_predictions(
        path, images(5), samples(TARGETS), SCORES, threshold=0.5, title="Test", **k
    ),
    "eigenfaces": lambda path, **k: plots.plot_eigenfaces(path, eigenfaces(5), np.ones((12, 10)), **k),
    "explained_variance": lambda path, **k: plots.plot_explained_variance(path, [0.6, 0.3, 0.06], **k),
}


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect what is drawn, so that a test can read it instead of its pixels."""
    kept: list[Any] = []

    def keep(figure: Any, path: Path) -> None:
        kept.append(figure)
        style.save_figure(figure, path)

    for module in (curves, scores, predictions, components_module, calibration_module, confusion_module, errors):
        monkeypatch.setattr(module, "save_figure", keep)
    return kept


def words(figure: Any) -> str:
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


@pytest.mark.parametrize("name", DRAWINGS)
def test_writes_a_png_of_sensible_size(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.png"
    DRAWINGS[name](path)
    height, width, _ = read_image(path).shape
    assert 400 <= width <= 2000
    assert 400 <= height <= 2000
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_values_give_same_bytes(name: str, tmp_path: Path) -> None:
    DRAWINGS[name](tmp_path / "one.png")
    DRAWINGS[name](tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("name", DRAWINGS)
def test_synthetic_data_is_named(name: str, tmp_path: Path, figures: list[Any]) -> None:
    DRAWINGS[name](tmp_path / "real.png")
    DRAWINGS[name](tmp_path / "drawn.png", synthetic=True)
    real, drawn = figures
    assert "SYNTHETIC DATA" not in words(real)
    assert drawn.get_suptitle().startswith("SYNTHETIC DATA · ")


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_is_cut_at_the_edges(name: str, tmp_path: Path, figures: list[Any]) -> None:
    DRAWINGS[name](tmp_path / "picture.png", synthetic=True)
    (figure,) = figures
    tight = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert tight.x0 >= -0.01
    assert tight.y0 >= -0.01
    assert tight.x1 <= width + 0.01
    assert tight.y1 <= height + 0.01


class TestCurves:
    def test_limits_never_cut_the_data(self, tmp_path: Path, figures: list[Any]) -> None:
        low = {"accuracy": [0.21, 1.0], "loss": [4.2, 0.0], "val_accuracy": [0.3, 0.4], "val_loss": [1, 9.7]}
        plots.plot_curves(tmp_path / "c.png", low, fine_tune_at=None)
        upper, lower = figures[0].axes
        assert upper.get_ylim()[0] <= 0.2
        assert upper.get_ylim()[1] > 1.0
        assert lower.get_ylim()[0] < 0.0
        assert lower.get_ylim()[1] > 9.7

    def test_limits_of_the_notebook(self, tmp_path: Path, figures: list[Any]) -> None:
        good = {**HISTORY, "val_accuracy": [0.6, 0.82, 0.98]}
        plots.plot_curves(tmp_path / "c.png", good, fine_tune_at=2)
        upper, lower = figures[0].axes
        assert upper.get_ylim() == pytest.approx((0.49, 1.01))
        assert lower.get_ylim() == pytest.approx((-0.02, 1.02))

    def test_mark_stands_between_the_stages(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_curves(tmp_path / "c.png", HISTORY, fine_tune_at=2, title_note="seed 7")
        assert "fine-tuning starts" in words(figures[0])
        assert "seed 7" in figures[0].get_suptitle()
        for axes in figures[0].axes:
            assert list(axes.lines[-1].get_xdata()) == [2.5, 2.5]

    def test_no_mark_when_asked_for_none(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_curves(tmp_path / "c.png", HISTORY, fine_tune_at=None)
        assert "fine-tuning" not in words(figures[0])

    @pytest.mark.parametrize("epochs", [1, 2, 21, 200])
    def test_ticks_are_whole_epochs_from_one(self, epochs: int, tmp_path: Path, figures: list[Any]) -> None:
        history = {name: [0.5] * epochs for name in HISTORY}
        plots.plot_curves(tmp_path / "c.png", history, fine_tune_at=epochs)
        axes = figures[0].axes[1]
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == int(tick) >= 1 for tick in ticks)
        assert axes.lines[0].get_xdata()[0] == 1

    def test_a_diverged_training_is_drawn(self, tmp_path: Path) -> None:
        history = {**HISTORY, "loss": [0.7, float("nan"), float("inf")], "val_loss": [float("nan")] * 3}
        plots.plot_curves(tmp_path / "c.png", history, fine_tune_at=0)
        assert (tmp_path / "c.png").is_file()

    @pytest.mark.parametrize(
        ("history", "fine_tune_at", "message"),
        [
            ({name: [] for name in HISTORY}, None, "expected at least one epoch, got 0"),
            ({"accuracy": [1.0], "loss": [0.1]}, None, "val_accuracy, val_loss missing"),
            ({**HISTORY, "loss": [0.1]}, None, "loss 1"),
            (HISTORY, 4, "expected 0 to 3 epochs, got 4"),
            (HISTORY, -1, "expected 0 to 3 epochs, got -1"),
        ],
    )
    def test_bad_history_is_named(self, history: Any, fine_tune_at: int | None, message: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=message):
            plots.plot_curves(tmp_path / "c.png", history, fine_tune_at=fine_tune_at)
        assert not list(tmp_path.iterdir())


class TestScores:
    def test_confusion_shows_counts_and_row_shares(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_confusion(tmp_path / "c.png", Confusion(tn=15, fp=1, fn=2, tp=12), title="Test")
        shown = words(figures[0])
        for text in ("15\n93.8% of row", "1\n6.2% of row", "2\n14.3% of row", "12\n85.7% of row", "n = 14"):
            assert text in shown

    def test_confusion_of_one_class(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_confusion(tmp_path / "c.png", Confusion(0, 0, 1, 2), title="Test")
        assert "0\nno examples" in words(figures[0])

    def test_roc_tells_area_and_operating_point(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_roc(tmp_path / "r.png", TARGETS, SCORES, threshold=0.5, title="Test")
        assert "AUC 0.833, n = 5" in words(figures[0])
        assert "threshold 0.5:\nFPR 0.500, TPR 0.667" in words(figures[0])

    def test_precision_recall_tells_area_and_operating_point(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_precision_recall(tmp_path / "p.png", TARGETS, SCORES, threshold=0.5, title="Test")
        assert "average precision 0.916, n = 5" in words(figures[0])
        assert "threshold 0.5:\nrecall 0.667, precision 0.667" in words(figures[0])

    def test_almost_perfect_is_not_called_perfect(self, tmp_path: Path, figures: list[Any]) -> None:
        targets, probabilities = [0] * 2000 + [1] * 2000, np.linspace(0, 1, 4000)
        probabilities[[1999, 2000]] = probabilities[[2000, 1999]]
        plots.plot_roc(tmp_path / "r.png", targets, probabilities, threshold=0.5, title="Test")
        assert "AUC 0.999," in words(figures[0])

    @pytest.mark.parametrize("draw", [plots.plot_roc, plots.plot_precision_recall])
    @pytest.mark.parametrize(("target", "name"), [(0, "no sunglasses"), (1, "sunglasses")])
    def test_one_class_is_said_in_words(
        self, draw: Callable[..., None], target: int, name: str, tmp_path: Path, figures: list[Any]
    ) -> None:
        draw(tmp_path / "r.png", [target] * 3, [0.1, 0.5, 0.9], threshold=0.5, title="Test")
        assert "all 3 examples are of one class" in words(figures[0])
        assert f"“{name}”" in words(figures[0])

    def test_nothing_called_positive(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_precision_recall(tmp_path / "p.png", [0, 1], [0.1, 0.2], threshold=1, title="Test")
        assert "threshold 1:\nnothing called positive" in words(figures[0])

    @pytest.mark.parametrize("draw", [plots.plot_roc, plots.plot_precision_recall])
    def test_no_examples_is_an_error(self, draw: Callable[..., None], tmp_path: Path) -> None:
        with pytest.raises(DataError, match="at least one example"):
            draw(tmp_path / "r.png", [], [], threshold=0.5, title="Test")
        assert not list(tmp_path.iterdir())


class TestPredictions:
    def draw(self, path: Path, targets: list[int], scores: list[float], **options: Any) -> None:
        chosen = {"threshold": 0.5, "title": "Test", **options}
        plots.plot_predictions(path, images(len(targets)), samples(targets), scores, **chosen)

    def test_wrong_ones_are_framed_and_named(self, tmp_path: Path, figures: list[Any]) -> None:
        self.draw(tmp_path / "p.png", TARGETS, SCORES)
        shown = words(figures[0])
        assert "3 of 5 right · threshold 0.5" in figures[0].get_suptitle()
        assert "no sunglasses\nP(sunglasses) 0.400" in shown
        assert "wrong; truth: sunglasses" in shown
        assert "wrong; truth: no sunglasses" in shown
        assert "P(sunglasses) > 0.999" in shown
        pixels = read_image(tmp_path / "p.png").reshape(-1, 3)
        assert (pixels == RED).all(axis=1).sum() > 1000

    def test_right_ones_have_no_frame(self, tmp_path: Path) -> None:
        self.draw(tmp_path / "p.png", [1, 0], [0.9, 0.1])
        assert not (read_image(tmp_path / "p.png") == RED).all(axis=2).any()

    @pytest.mark.parametrize(("n", "limit", "shown"), [(1, 9, 1), (12, 9, 9), (12, None, 12), (3, 20, 3)])
    def test_limit(self, n: int, limit: int | None, shown: int, tmp_path: Path, figures: list[Any]) -> None:
        self.draw(tmp_path / "p.png", [1] * n, [0.9] * n, limit=limit)
        assert sum(bool(axes.images) for axes in figures[0].axes) == shown
        assert (f"first {shown} shown" in figures[0].get_suptitle()) == (shown < n)

    def test_many_images_stop_at_the_most(
        self, tmp_path: Path, figures: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(predictions, "MAX_SHOWN", 25)
        self.draw(tmp_path / "p.png", [1, 0] * 300, [0.9, 0.6] * 300, limit=None)
        assert sum(bool(axes.images) for axes in figures[0].axes) == 25
        assert "300 of 600 right · first 25 shown" in figures[0].get_suptitle()

    def test_only_the_shown_images_are_needed(self, tmp_path: Path) -> None:
        plots.plot_predictions(
            tmp_path / "p.png", images(2), samples(TARGETS), SCORES, threshold=0.5, limit=2, title="Test"
        )
        assert (tmp_path / "p.png").is_file()

    def test_bad_input_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="at least one example"):
            self.draw(tmp_path / "p.png", [], [])
        with pytest.raises(UsageError, match=r"got \(5,\) and \(4,\)"):
            self.draw(tmp_path / "p.png", TARGETS, SCORES[:4])
        with pytest.raises(UsageError, match="limit: expected 1 or more"):
            self.draw(tmp_path / "p.png", TARGETS, SCORES, limit=0)
        with pytest.raises(UsageError, match="threshold"):
            self.draw(tmp_path / "p.png", TARGETS, SCORES, threshold=7)
        with pytest.raises(UsageError, match="expected one for each of 5 samples, got 4"):
            plots.plot_predictions(tmp_path / "p.png", images(4), samples(TARGETS), SCORES, threshold=0.5, title="Test")
        assert not list(tmp_path.iterdir())


class TestComponents:
    @pytest.mark.parametrize(("k", "shown"), [(1, 1), (5, 5), (40, 11)])
    def test_mean_and_the_first_components(self, k: int, shown: int, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_eigenfaces(tmp_path / "e.png", eigenfaces(k), np.zeros((12, 10)), ratios=[0.021] * k, title="Test")
        assert sum(bool(axes.images) for axes in figures[0].axes) == shown + 1
        assert f"component {shown}\n2.1% of variance" in words(figures[0])

    def test_a_component_of_zeros_is_drawn(self, tmp_path: Path) -> None:
        plots.plot_eigenfaces(tmp_path / "e.png", np.zeros((1, 4, 4)), np.zeros((4, 4)))
        assert (tmp_path / "e.png").is_file()

    @pytest.mark.parametrize(
        ("components", "mean", "options", "message"),
        [
            (np.zeros((0, 4, 4)), np.zeros((4, 4)), {}, "expected at least one"),
            (np.zeros((2, 4, 4)), np.zeros((4, 5)), {}, r"got \(2, 4, 4\) and \(4, 5\)"),
            (np.zeros((2, 16)), np.zeros(16), {}, r"\(k, height, width\)"),
            (np.full((1, 4, 4), np.nan), np.zeros((4, 4)), {}, "finite"),
            (np.zeros((2, 4, 4)), np.zeros((4, 4)), {"ratios": [0.1]}, "one for each of 2 components, got 1"),
            (np.zeros((2, 4, 4)), np.zeros((4, 4)), {"limit": 0}, "expected 1 or more components, got 0"),
        ],
    )
    def test_bad_components_are_named(
        self, components: Any, mean: Any, options: Any, message: str, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match=message):
            plots.plot_eigenfaces(tmp_path / "e.png", components, mean, **options)
        assert not list(tmp_path.iterdir())

    def test_marks_of_explained_variance(self, tmp_path: Path, figures: list[Any]) -> None:
        plots.plot_explained_variance(tmp_path / "v.png", [0.6, 0.3, 0.04])
        shown = words(figures[0])
        assert "50% with 1 component" in shown
        assert "90% with 2 components" in shown
        assert "95% not reached with 3 components" in shown

    @pytest.mark.parametrize("ratios", [[], [0.7, 0.7], [-0.1, 0.2], [float("nan")], [[0.5]]])
    def test_bad_ratios_are_named(self, ratios: Any, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="ratios: expected shares"):
            plots.plot_explained_variance(tmp_path / "v.png", ratios)
        assert not list(tmp_path.iterdir())


def test_eyewear_confusion_says_what_is_mixed_up(tmp_path: Path, figures: list[Any]) -> None:
    scores_of = score_eyewear(["none", "eyeglasses", "sunglasses"], ["none", "sunglasses", "sunglasses"])
    plots.plot_eyewear_confusion(tmp_path / "e.png", scores_of, title="Test")
    text = words(figures[0])
    assert "mixed up: 1 of 2" in text.replace("\n", " ")
    assert text.count("100.0% of row") == 3


def test_reliability_names_its_figures(tmp_path: Path, figures: list[Any]) -> None:
    made = calibrate(TARGETS, SCORES, rng=np.random.default_rng(1), resamples=20)
    plots.plot_reliability(tmp_path / "r.png", made, title="Test")
    assert f"ECE {made.ece:.3f}" in words(figures[0])


def test_errors_name_file_truth_and_score(tmp_path: Path, figures: list[Any]) -> None:
    some = [Sample("an2i/an2i_straight_neutral_sunglasses.pgm", "sunglasses"), *samples([0])]
    plots.plot_errors(tmp_path / "e.png", images(2), some, [0.4, 0.99999], n=9, title="Test")
    text = words(figures[0])
    assert "2 of 9 wrong" in text
    assert "an2i/an2i_straight_neutral_sunglasses.pgm" in text.replace("\n", "")
    assert "P > 0.999" in text
    assert "truth: no sunglasses" in text


def test_worst_errors_come_first() -> None:
    assert errors.worst_errors(samples([1, 0, 1, 0]), [0.4, 0.9, 0.8, 0.5], threshold=0.5) == [1, 0, 3]


def test_more_errors_than_a_sheet_holds(tmp_path: Path, figures: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "MAX_SHOWN", 3)
    plots.plot_errors(tmp_path / "e.png", images(3), samples(TARGETS), SCORES, n=9, title="Test")
    assert "the worst 3 shown" in words(figures[0])


def test_no_errors(tmp_path: Path, figures: list[Any]) -> None:
    plots.plot_errors(tmp_path / "e.png", [], [], [], n=9, title="Test")
    assert "no errors" in words(figures[0])


def test_errors_without_their_images(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected an image and a score for each of 5"):
        plots.plot_errors(tmp_path / "e.png", images(2), samples(TARGETS), SCORES, n=9, title="Test")
