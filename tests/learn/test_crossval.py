"""The plan of folds and the proof from files, on samples without pictures."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gafas.errors import DataError, GafasError
from gafas.learn import crossval
from gafas.learn.config import PcaConfig
from gafas.learn.fold_files import COLUMNS, PREDICTIONS, FoldResult, verify, write_fold, write_rows
from gafas.learn.fold_recipes import FOLD_RECIPES, FoldRecipe, FoldWork
from gafas.learn.folds import Fold, digest, fingerprint, plan_folds
from gafas.learn.pictures import Pictures
from gafas.learn.weights import WeightsSource
from gafas.values import Label, Sample

PERSONS = ("ann", "bob", "cat", "dan", "eve")
LABELS: tuple[Label, ...] = ("sunglasses", "no_sunglasses")
SAMPLES = [Sample(f"{p}/{label}-{i}.png", label, person=p) for p in PERSONS for label in LABELS for i in range(3)]


def pictures() -> Pictures:
    random = np.random.default_rng(1)
    return Pictures(tuple(SAMPLES), random.integers(0, 256, (len(SAMPLES), 8, 8, 3), dtype=np.uint8))


@pytest.mark.parametrize("folds", [None, 2, 5])
@pytest.mark.parametrize("validation", [False, True])
def test_nobody_is_in_two_parts_of_a_fold(folds: int | None, validation: bool) -> None:
    planned = plan_folds(SAMPLES, folds, seed=4, validation=validation)
    assert sorted(path for fold in planned for path in fold.held_out) == sorted(sample.path for sample in SAMPLES)
    person = {sample.path: sample.person for sample in SAMPLES}
    for fold in planned:
        parts = [{person[path] for path in part} for part in (fold.train, fold.validation, fold.held_out)]
        assert parts[2] == set(fold.persons)
        assert not parts[0] & parts[1]
        assert not (parts[0] | parts[1]) & parts[2]
        assert bool(parts[1]) == validation
        assert len(fold.train) + len(fold.validation) + len(fold.held_out) == len(SAMPLES)


def test_two_persons_leave_none_for_validation() -> None:
    few = [sample for sample in SAMPLES if sample.person in {"ann", "bob"}]
    with pytest.raises(DataError, match="two persons or more to train on"):
        plan_folds(few, None, seed=1, validation=True)


def test_everything_that_counts_is_in_the_fingerprint() -> None:
    fold = plan_folds(SAMPLES, None, seed=1, validation=False)[0]
    whole = pictures()
    changed = Pictures(whole.samples, whole.images.copy())
    changed.images[3, 0, 0] ^= 1
    assert digest(whole) != digest(changed)
    other = Fold(fold.name, fold.persons, fold.train[1:], fold.validation, fold.held_out)
    prints = {
        fingerprint(fold, PcaConfig(), pictures="a", weights=None),
        fingerprint(fold, PcaConfig(), pictures="b", weights=None),
        fingerprint(fold, PcaConfig(), pictures="a", weights={"kind": "random"}),
        fingerprint(fold, PcaConfig(seed=2), pictures="a", weights=None),
        fingerprint(other, PcaConfig(), pictures="a", weights=None),
    }
    assert len(prints) == 5
    assert fingerprint(fold, PcaConfig(), pictures="a", weights=None) in prints


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished and honest cross-validation, without any training."""
    results = []
    for fold in plan_folds(SAMPLES, None, seed=1, validation=True):
        probabilities = tuple(0.25 + 0.001 * i for i in range(len(fold.held_out)))
        results.append(
            FoldResult(
                fold=fold.name,
                fingerprint="",
                persons=fold.persons,
                train=fold.train,
                validation=fold.validation,
                paths=fold.held_out,
                probabilities=probabilities,
                seconds=1.0,
            )
        )
        write_fold(tmp_path, results[-1])
    write_rows(tmp_path / PREDICTIONS, SAMPLES, results)
    return tmp_path


def test_honest_files_are_proved(folder: Path) -> None:
    answers = verify(folder, SAMPLES)
    assert set(answers) == {sample.path for sample in SAMPLES}
    assert answers[SAMPLES[1].path] == pytest.approx(0.251)


def _edit_rows(folder: Path, change: Callable[[list[list[str]]], object]) -> None:
    rows = list(csv.reader((folder / PREDICTIONS).read_text().splitlines()))
    change(rows)
    (folder / PREDICTIONS).write_text("".join(f"{','.join(row)}\n" for row in rows))


def _edit_fold(folder: Path, name: str, key: str, change: Callable[[list[str]], object]) -> None:
    import json

    path = folder / "folds" / f"{name}.json"
    value = json.loads(path.read_text())
    change(value[key])
    path.write_text(json.dumps(value))


def _set(rows: list[list[str]], column: str, value: str) -> None:
    rows[1][COLUMNS.index(column)] = value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: _edit_fold(f, "ann", "train", lambda p: p.append("ann/sunglasses-0.png")),
            "ann was trained on: a leak",
        ),
        (lambda f: _edit_fold(f, "ann", "validation", lambda p: p.append("ann/sunglasses-0.png")), "a leak"),
        (lambda f: _edit_fold(f, "ann", "train", lambda p: p.append("zoe/1.png")), "not in the data set"),
        (lambda f: _edit_fold(f, "ann", "paths", lambda p: p.pop()), "a probability for each of 5 images, got 6"),
        (lambda f: _edit_rows(f, lambda rows: rows.pop()), "has no row \\(1 of 30"),
        (lambda f: _edit_rows(f, lambda rows: rows.append(rows[1])), "has 2 rows, expected one"),
        (lambda f: _edit_rows(f, lambda rows: _set(rows, "fold", "bob")), "said to be of fold bob"),
        (lambda f: _edit_rows(f, lambda rows: _set(rows, "fold", "nobody")), "said to be of fold nobody"),
        (lambda f: _edit_rows(f, lambda rows: _set(rows, "person", "bob")), "is not what the data set"),
        (lambda f: _edit_rows(f, lambda rows: _set(rows, "probability", "0.9")), "is not what the data set"),
        (lambda f: _edit_rows(f, lambda rows: _set(rows, "path", "zoe/1.png")), "not in the data set"),
        (lambda f: _edit_rows(f, lambda rows: rows[0].pop()), "expected the columns"),
        (lambda f: (f / PREDICTIONS).unlink(), "cannot be read"),
        (lambda f: (f / "folds" / "ann.json").write_text("[]"), "expected a finished fold"),
    ],
)
def test_a_lie_is_found(folder: Path, change: Callable[[Path], object], message: str) -> None:
    change(folder)
    with pytest.raises(DataError, match=message):
        verify(folder, SAMPLES)


def _planned(tmp_path: Path) -> crossval.Crossval:
    return crossval.plan(tmp_path, PcaConfig(input_size=8), pictures(), 2, weights=WeightsSource("random"))


def test_a_killed_worker_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("joblib", reason="the train extra is not installed")

    def die(task: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(crossval, "_run_fold", die)
    with pytest.raises(GafasError, match=r"was killed from outside.*--jobs 1"):
        crossval.run_crossval(_planned(tmp_path), jobs=2, listener=lambda *_: None)


def test_a_recipe_that_chooses_gets_other_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("joblib", reason="the train extra is not installed")
    works: list[FoldWork] = []

    def run(work: FoldWork) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        works.append(work)
        return np.full(len(work.held_out.samples), 0.75)

    monkeypatch.setitem(FOLD_RECIPES, "pca", FoldRecipe(run=run, chooses=True, uses_weights=False))
    figures = crossval.run_crossval(_planned(tmp_path), jobs=1, listener=lambda *_: None)
    assert (figures["accuracy"], figures["n"], len(figures["errors"])) == (0.5, 30, 15)
    for work in works:
        assert work.validation is not None
        persons = [{s.person for s in part.samples} for part in (work.train, work.validation, work.held_out)]
        assert all(persons)
        assert sum(map(len, persons)) == len(set.union(*persons)) == 5


@pytest.mark.parametrize("wrong", [np.nan, 1.5])
def test_what_is_no_probability_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    pytest.importorskip("joblib", reason="the train extra is not installed")
    recipe = FoldRecipe(run=lambda work: np.full(len(work.held_out.samples), wrong), uses_weights=False)
    monkeypatch.setitem(FOLD_RECIPES, "pca", recipe)
    with pytest.raises(DataError, match="fold fold-1: probabilities: expected numbers in"):
        crossval.run_crossval(_planned(tmp_path), jobs=1, listener=lambda *_: None)
    assert not list(tmp_path.rglob("*.json"))
