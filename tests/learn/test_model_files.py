"""Keras files with code inside, and weights that reach out of their file, are refused and nothing of them runs."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gafas.errors import BundleError, DataError, WeightsError
from gafas.learn.backend import keras
from gafas.learn.model_files import load_keras
from gafas.learn.weights import load_backbone_weights

pytestmark = pytest.mark.train


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "good.keras"
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, name="d")]).save(path)
    return path


def repacked(good: Path, target: Path, name: str, data: bytes) -> Path:
    """A `.keras` file with one member exchanged."""
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(target, "w") as file:
        for member in source.namelist():
            file.writestr(member, data if member == name else source.read(member))
    return target


def test_a_lambda_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = keras.layers.Lambda(lambda values: __import__("pathlib").Path("ran").touch() or values)
    keras.Sequential([keras.layers.Input((4,)), code]).save("lambda.keras")
    Path("ran").unlink()
    with pytest.raises(BundleError, match=r"lambda\.keras: not a usable Keras model: .*Lambda"):
        load_keras(Path("lambda.keras"))
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("module", "name", "config"),
    [
        ("builtins", "exec", {"source": "open('ran', 'w')"}),
        ("os", "system", {"command": "touch ran"}),
        ("subprocess", "Popen", {"args": ["touch", "ran"]}),
        ("keras.src.utils.file_utils", "get_file", {"fname": "ran", "origin": "file:///etc/passwd"}),
        ("keras.src.utils.python_utils", "func_load", {"code": "AA=="}),
    ],
)
def test_a_config_that_names_other_code(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, config: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = {"module": module, "class_name": name, "config": config, "registered_name": None}
    path = repacked(good, tmp_path / "evil.keras", "config.json", json.dumps(evil).encode())
    with pytest.raises(BundleError, match=r"evil\.keras: not a usable Keras model: "):
        load_keras(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_pickle_in_a_keras_file(good: Path, tmp_path: Path, name: str) -> None:
    data = pickle.dumps(Evil(tmp_path / "ran"))
    path = repacked(good, tmp_path / "evil.keras", name, data)
    with pytest.raises(BundleError, match=r"evil\.keras: not a usable Keras model: "):
        load_keras(path)
    (tmp_path / "pickle.keras").write_bytes(data)
    with pytest.raises(BundleError, match=r"pickle\.keras: not a usable Keras model: "):
        load_keras(tmp_path / "pickle.keras")
    assert not (tmp_path / "ran").exists()
    pickle.loads(data)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("way", ["storage", "link"])
def test_weights_that_are_in_another_file(tmp_path: Path, way: str) -> None:
    h5py = pytest.importorskip("h5py")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    path = tmp_path / "a.weights.h5"
    model.save_weights(path)
    (tmp_path / "secret").write_bytes(np.full(12, 5, np.float32).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.full((4, 3), 5, np.float32)
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        (key,) = (name for name in names if name.endswith("vars/0"))
        del file[key]
        if way == "storage":
            file.create_dataset(key, (4, 3), "float32", external=[(str(tmp_path / "secret"), 0, 48)])
        else:
            file[key] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
    with pytest.raises(WeightsError, match=r"a\.weights\.h5: expected MobileNetV2 weights"):
        load_backbone_weights(model, path)
    assert not (model.get_weights()[0] == 5).any()


def test_a_pickle_in_a_checkpoint(tmp_path: Path) -> None:
    from gafas.learn import fitting
    from gafas.learn.runs import Run, State

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    np.savez(folder / "a.npz", first=np.array([Evil(tmp_path / "ran")], dtype=object))
    with pytest.raises(DataError, match=r"a\.npz: expected a checkpoint: .*allow_pickle"):
        fitting.load_checkpoint(Run(tmp_path, None, {}), State(weights="a.npz"), model)  # type: ignore[arg-type]
    assert not (tmp_path / "ran").exists()
