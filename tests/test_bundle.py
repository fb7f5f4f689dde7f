"""Bundles: what is saved is loaded, and whatever is damaged, newer or strange is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gafas.bundle import FORMAT_VERSION, MANIFEST, ONNX, Manifest, find_bundle, load_bundle, save_manifest
from gafas.errors import BundleError

MODEL = b"a model, for all that a bundle knows"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle whose model nobody runs."""
    folder = tmp_path / "bundle"
    (folder / "saved_model" / "variables").mkdir(parents=True)
    (folder / ONNX).write_bytes(MODEL)
    (folder / "saved_model" / "variables" / "data").write_bytes(MODEL)
    (folder / ".writing-x").write_bytes(b"left over")
    save_manifest(
        folder,
        Manifest(
            name="test",
            architecture="none",
            input_size=(120, 128),
            threshold=0.4,
            temperature=1.5,
            metrics={"test": {"accuracy": 0.9, "n": 30}},
            licences=("CC BY 4.0",),
        ),
    )
    return folder


def change(folder: Path, **values: Any) -> None:
    """Put other values into the manifest; ``...`` takes one out."""
    path = folder / MANIFEST
    raw = json.loads(path.read_text(encoding="utf-8")) | values
    path.write_text(json.dumps({key: value for key, value in raw.items() if value is not ...}), encoding="utf-8")


def test_what_is_saved_is_loaded(folder: Path) -> None:
    loaded = load_bundle(folder)
    assert loaded.manifest.input_size == (120, 128)
    assert loaded.manifest.threshold == 0.4
    assert loaded.manifest.licences == ("CC BY 4.0",)
    assert loaded.manifest.format_version == FORMAT_VERSION
    assert sorted(loaded.manifest.files) == [ONNX, "saved_model/variables/data"]
    assert loaded.file(ONNX).read_bytes() == MODEL
    assert loaded.file("saved_model").is_dir()


def test_a_run_folder_means_its_bundle(folder: Path) -> None:
    assert find_bundle(folder) == find_bundle(folder.parent) == folder
    assert load_bundle(str(folder.parent)).folder == folder


@pytest.mark.parametrize("name", ["gone", f"bundle/{ONNX}"])
def test_no_bundle_there(folder: Path, name: str) -> None:
    with pytest.raises(BundleError, match=r"expected a bundle or run folder with manifest\.json, got none"):
        load_bundle(folder.parent / name)


def test_a_file_that_the_bundle_lacks(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"has no model\.tflite, only model\.onnx, saved_model; make it with"):
        load_bundle(folder).file("model.tflite")


def test_a_changed_file(folder: Path) -> None:
    (folder / ONNX).write_bytes(MODEL + b"!")
    with pytest.raises(BundleError, match=r"model\.onnx: sha256 [0-9a-f]{12}, manifest says [0-9a-f]{12}; export"):
        load_bundle(folder)
    assert load_bundle(folder, verify=False).manifest.name == "test"


def test_a_missing_file(folder: Path) -> None:
    (folder / ONNX).unlink()
    for verify in (True, False):
        with pytest.raises(BundleError, match=r"model\.onnx: missing, although the manifest lists it"):
            load_bundle(folder, verify=verify)


@pytest.mark.parametrize(
    "text",
    [
        *("", "not JSON", "{", "[" * 100_000, '{"a":' * 100_000, "9" * 5_000, "\ud800"),
        *('{"threshold": NaN}', '{"threshold": -Infinity}'),
    ],
)
def test_a_manifest_that_is_no_json(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BundleError, match=r"manifest\.json: cannot be read as JSON"):
        load_bundle(folder)


def test_a_number_beyond_all_numbers(folder: Path) -> None:
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    for key, value in (("threshold", "0.4"), ("temperature", "1.5")):
        (folder / MANIFEST).write_text(text.replace(f'"{key}": {value}', f'"{key}": 1e999'), encoding="utf-8")
        with pytest.raises(BundleError, match=rf"{key}: expected a number .*, got inf"):
            load_bundle(folder)


def test_a_manifest_of_absurd_size(folder: Path) -> None:
    with (folder / MANIFEST).open("r+b") as file:
        file.truncate(2**32)
    with pytest.raises(BundleError, match="cannot be read as JSON: more than 67,108,864 bytes"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["[]", "null", '"text"', "3"])
def test_a_manifest_that_is_no_object(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match="expected a JSON object, got "):
        load_bundle(folder)


def test_a_newer_manifest(folder: Path) -> None:
    change(folder, format_version=FORMAT_VERSION + 1)
    with pytest.raises(BundleError, match=r"format_version 2 is newer than 1, .* upgrade with: pip install -U gafas"):
        load_bundle(folder)


@pytest.mark.parametrize("version", [..., None, "1", 0, -1, 1.0])
def test_not_a_manifest_of_ours(folder: Path, version: Any) -> None:
    change(folder, format_version=version)
    with pytest.raises(BundleError, match="not a gafas bundle: format_version is"):
        load_bundle(folder)


@pytest.mark.parametrize("keys", [("name",), ("input_size",), ("architecture", "input_size", "name")])
def test_missing_keys_are_named(folder: Path, keys: tuple[str, ...]) -> None:
    change(folder, **dict.fromkeys(keys, ...))
    with pytest.raises(BundleError, match=rf"manifest\.json: has no {', '.join(keys)}; export the model again"):
        load_bundle(folder)


def test_unknown_keys_are_left_alone(folder: Path) -> None:
    change(folder, colour="blue")
    assert load_bundle(folder).manifest.name == "test"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 3),
        ("architecture", None),
        ("input_size", 128),
        ("input_size", "128"),
        ("input_size", [128]),
        ("input_size", [128, 128, 3]),
        ("input_size", [128, 0]),
        ("input_size", [128, 1.5]),
        ("input_size", [True, True]),
        ("input_size", [128, 4097]),
        ("input_size", [10**400, 128]),
        ("region", []),
        ("region", {}),
        ("region", "else"),
        ("margin", 5),
        ("margin", 10**400),
        ("outputs", "sunglasses"),
        ("outputs", []),
        ("outputs", ["eyeglasses"]),
        ("labels", ["sunglasses", "no_sunglasses"]),
        ("threshold", "0.5"),
        ("threshold", True),
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("temperature", 0),
        ("temperature", 10**400),
        ("eyeglasses_threshold", "nan"),
        ("training", []),
        ("metrics", None),
        ("licences", "CC BY 4.0"),
        ("licences", [1]),
        ("exports", 1),
        ("files", ["model.onnx"]),
        ("files", {"model.onnx": 1}),
        ("files", {f"{number}.onnx": "" for number in range(10_001)}),
    ],
)
def test_wrong_values_are_named(folder: Path, key: str, value: Any) -> None:
    change(folder, **{key: value})
    with pytest.raises(BundleError, match=rf"manifest\.json: {key}: expected .*, got .*; export the model again"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "saved_model/../../secret", "link"])
def test_a_path_outside_the_bundle(folder: Path, name: str) -> None:
    (folder.parent / "secret").write_text("secret")
    (folder / "link").symlink_to(folder.parent / "secret")
    change(folder, files={name: "0" * 64})
    with pytest.raises(BundleError, match=f"the manifest names {name}, which lies outside the bundle"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["a\0b", "loop", "x" * 300])
def test_a_path_that_cannot_be_looked_at(folder: Path, name: str) -> None:
    (folder / "loop").symlink_to(folder / "loop")
    change(folder, files={name: "0" * 64})
    with pytest.raises(BundleError, match=r"cannot be read|missing"):
        load_bundle(folder)
