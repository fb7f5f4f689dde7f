from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gafas.datasets.cmu import EXPRESSIONS, POSES, read_cmu
from gafas.datasets.organize import organize
from gafas.datasets.splits import (
    check_split,
    person_folds,
    read_split,
    split_files,
    split_from_json,
    split_persons,
    split_to_json,
)
from gafas.errors import DataError
from gafas.values import LABELS, SPLIT_NAMES, Sample, Split


def people(count: int) -> list[Sample]:
    return [
        Sample(
            f"p{number:02d}/p{number:02d}_{pose}_{expression}_{label}.pgm", label, f"p{number:02d}", pose, expression
        )
        for number, pose, expression, label in itertools.product(range(count), POSES, EXPRESSIONS, LABELS)
    ]


def flat(split: Split) -> list[str]:
    return [path for name in SPLIT_NAMES for path in split.part(name)]


def test_files_are_dealt_out_once_each() -> None:
    samples = people(20)
    split = split_files(samples, seed=123456, test_count=30)
    assert [len(split.part(name)) for name in SPLIT_NAMES] == [448, 162, 30]
    assert sorted(flat(split)) == sorted(sample.path for sample in samples)
    assert split == split_files(list(reversed(samples)), seed=123456, test_count=30)
    assert split.train != split_files(samples, seed=1).train


def test_the_default_test_set_is_a_fifth_of_the_batches() -> None:
    assert len(split_files(people(20), seed=0, batch_size=32).test) == 32
    assert len(split_files(people(2), seed=0).test) == 10


def test_persons_are_kept_apart() -> None:
    samples = people(20)
    split = split_persons(samples, seed=123456)
    persons = [{path.split("/")[0] for path in split.part(name)} for name in SPLIT_NAMES]
    assert [len(part) for part in persons] == [14, 3, 3]
    assert not persons[0] & persons[1]
    assert not persons[0] & persons[2]
    assert not persons[1] & persons[2]
    assert sorted(flat(split)) == sorted(sample.path for sample in samples)
    assert split == split_persons(samples, seed=123456)
    assert split != split_persons(samples, seed=1)
    assert len(split_persons(people(3), seed=1).train) == 32


def test_persons_unknown_or_too_few() -> None:
    samples = people(3)
    with pytest.raises(DataError, match=r"the person is not known .* --split file"):
        split_persons([*samples, Sample("x.jpg", "sunglasses")], seed=1)
    with pytest.raises(DataError, match="expected at least 3 persons, got 2"):
        split_persons(people(2), seed=1)


def test_too_few_images() -> None:
    samples = people(1)
    with pytest.raises(DataError, match="expected at least one batch of 10 images for training, got 9"):
        split_files(samples[:12], seed=1, test_count=1)
    with pytest.raises(DataError, match="9 of 32 images are held out, expected more than the 30 for testing"):
        split_files(samples, seed=1, test_count=30)
    with pytest.raises(DataError, match="0 of 0 images are held out"):
        split_files([], seed=1)
    with pytest.raises(DataError, match="expected at least one batch of 99"):
        split_persons(people(3), seed=1, batch_size=99)


def test_one_class_only() -> None:
    samples = [replace(sample, label="sunglasses") for sample in people(3)]
    with pytest.raises(DataError, match="got no no_sunglasses"):
        split_files(samples, seed=1)
    with pytest.raises(DataError, match="got no no_sunglasses"):
        split_persons(samples, seed=1)


def test_senseless_requests() -> None:
    samples = people(3)
    with pytest.raises(DataError, match="between 0 and 1"):
        split_files(samples, seed=1, validation=1.0)
    for seed in (-1, 2**32):
        with pytest.raises(DataError, match="seed: expected a whole number"):
            split_files(samples, seed=seed)
        with pytest.raises(DataError, match="seed: expected a whole number"):
            split_persons(samples, seed=seed)
    with pytest.raises(DataError, match="expected images of one resolution, got full, half"):
        split_files([*samples, replace(samples[0], path="other", resolution="half")], seed=1)
    with pytest.raises(DataError, match="listed twice"):
        split_persons([*samples, samples[0]], seed=1)


def test_checking_a_split() -> None:
    samples = people(3)
    split = split_persons(samples, seed=1)
    check_split(split, samples)
    with pytest.raises(DataError, match="is in both train and test"):
        check_split(replace(split, test=(*split.test, split.train[0])), samples)
    with pytest.raises(DataError, match="is in train twice"):
        check_split(replace(split, train=(*split.train, split.train[0])), samples)
    with pytest.raises(DataError, match="is not in the data set"):
        check_split(split, samples[1:])
    with pytest.raises(DataError, match="the validation part is empty"):
        check_split(replace(split, validation=()), samples)
    moved = replace(split, train=split.train[1:], test=(*split.test, split.train[0]))
    with pytest.raises(DataError, match=r"p\d\d is in both train and test, although it is a split by person"):
        check_split(moved, samples)
    check_split(replace(moved, kind="file"), samples)


def test_json_there_and_back(tmp_path: Path) -> None:
    split = split_files(people(3), seed=7)
    value = split_to_json(split)
    assert list(value) == ["kind", "seed", "train", "validation", "test"]
    path = tmp_path / "split.json"
    path.write_text(json.dumps(value))
    assert read_split(path) == split


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "dog"}, "kind: expected 'file', 'person' or 'block', got 'dog'"),
        ({"seed": "7"}, "seed: expected a whole number"),
        ({"seed": True}, "seed: expected a whole number"),
        ({"test": None}, "test: expected a list of paths, got NoneType"),
        ({"train": [1]}, "train: expected a list of paths"),
    ],
)
def test_damaged_split(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_from_json(split_to_json(split_files(people(3), seed=7)) | change)


def test_unreadable_split_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"split\.json: cannot be read"):
        read_split(tmp_path / "split.json")
    for text, message in (("{", "damaged JSON"), ("[]", "expected a JSON object, got list"), ("\xff", "damaged JSON")):
        (tmp_path / "split.json").write_text(text, encoding="latin-1")
        with pytest.raises(DataError, match=message):
            read_split(tmp_path / "split.json")


@pytest.mark.real_data
def test_the_notebooks_numbers(cmu_root: Path) -> None:
    samples = read_cmu(cmu_root).at("full")
    assert [len(split_files(samples, seed=123456).part(name)) for name in SPLIT_NAMES] == [437, 157, 30]
    persons = split_persons(samples, seed=123456)
    assert [len({path.split("/")[0] for path in persons.part(name)}) for name in SPLIT_NAMES] == [14, 3, 3]


@pytest.mark.real_data
@pytest.mark.train
def test_they_are_the_files_that_keras_picks(cmu_root: Path, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    dataset = read_cmu(cmu_root)
    full = replace(dataset, samples=dataset.at("full"), bad=())
    organize(full, tmp_path / "data")

    def picked(subset: str) -> list[str]:
        found = keras.utils.image_dataset_from_directory(
            tmp_path / "data" / "full",
            validation_split=0.3,
            subset=subset,
            shuffle=True,
            seed=123456,
            image_size=(128, 128),
            batch_size=10,
            verbose=False,
        )
        return [Path(path).stem for path in found.file_paths]

    split = split_files(full.samples, seed=123456)
    assert [Path(path).stem for path in split.train] == picked("training")
    assert [Path(path).stem for path in split.test + split.validation] == picked("validation")


def _of_persons(**counts: int) -> list[Sample]:
    return [
        Sample(f"{person}/{i}.png", "sunglasses" if i % 2 else "no_sunglasses", person=person)
        for person, n in counts.items()
        for i in range(n)
    ]


def test_one_fold_a_person() -> None:
    assert person_folds(_of_persons(bob=2, ann=9), None, seed=1) == (("ann",), ("bob",))


@pytest.mark.parametrize("seed", range(5))
def test_folds_hold_whole_persons_and_are_balanced(seed: int) -> None:
    counts = {"ann": 10, "bob": 8, "cat": 6, "dan": 6, "eve": 5, "fay": 5}
    folds = person_folds(_of_persons(**counts), 2, seed=seed)
    assert sorted(person for fold in folds for person in fold) == sorted(counts)
    sizes = [sum(counts[person] for person in fold) for fold in folds]
    assert max(sizes) - min(sizes) <= 2
    assert folds == person_folds(_of_persons(**counts)[::-1], 2, seed=seed)


def test_another_seed_deals_otherwise() -> None:
    alike = _of_persons(**dict.fromkeys("abcdefgh", 4))
    assert len({person_folds(alike, 4, seed=seed) for seed in range(6)}) > 1


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_folds_that_cannot_be(folds: int) -> None:
    with pytest.raises(DataError, match=f"folds: expected 2 to 3 for 3 persons, got {folds}"):
        person_folds(_of_persons(a=2, b=2, c=2), folds, seed=1)


def test_folds_need_two_persons_and_their_names() -> None:
    with pytest.raises(DataError, match="expected two persons or more, got 1"):
        person_folds(_of_persons(a=2), None, seed=1)
    with pytest.raises(DataError, match="the person is not known"):
        person_folds([Sample("a.png", "sunglasses")], None, seed=1)
