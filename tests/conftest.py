"""Data for all rooms: the real photographs where they can be had, drawn ones always."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gafas.bundle import ONNX, Manifest, save_manifest
from gafas.datasets.synthetic import draw_synthetic
from gafas.imaging import write_image


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that train or start a cluster first: one of minutes at the end keeps the other workers waiting."""
    long = {item.path for item in items if item.get_closest_marker("train") or item.get_closest_marker("ray")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def cmu_root() -> Path:
    """The real CMU Face Images; read only."""
    value = os.environ.get("GAFAS_DATA")
    if not value:
        pytest.skip("$GAFAS_DATA is not set: it names the folder that holds cmu_faces/")
    root = Path(value) / "cmu_faces"
    if not root.is_dir():
        pytest.skip(f"$GAFAS_DATA ({value}) holds no cmu_faces/")
    return root


@pytest.fixture(scope="session")
def celeba_root() -> Path:
    """The labelled CelebA photographs; read only."""
    root = Path(os.environ.get("GAFAS_DATA", "")) / "celeba_glasses"
    if not os.environ.get("GAFAS_DATA") or not root.is_dir():
        pytest.skip("$GAFAS_DATA names no folder that holds celeba_glasses/")
    return root


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small drawn data set: 4 persons, 48×44 pixels, 125 photographs and 3 spoilt ones; read only."""
    return draw_synthetic(tmp_path_factory.mktemp("drawn") / "faces", persons=4, size=(44, 48))


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without data: no $GAFAS_DATA, and an empty cache, whose folder is given."""
    monkeypatch.delenv("GAFAS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gafas"


def make_onnx(path: Path, *, side: int = 8, batch: int | str = "n", logits: bool = False, uint8: bool = False) -> None:
    """Write a graph that finds sunglasses in dark pictures: sigmoid of (127.5 - mean brightness) / 20."""
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    helper, kinds, numpy_helper = onnx.helper, onnx.TensorProto, onnx.numpy_helper
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=kinds.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["middle", "mean"], ["darkness"]),
        helper.make_node("Mul", ["darkness", "scale"], ["logit"]),
        helper.make_node("Identity" if logits else "Sigmoid", ["logit"], ["score"]),
        helper.make_node("Reshape", ["score", "shape"], ["sunglasses"]),
    ]
    constants = {"middle": np.float32(127.5), "scale": np.float32(0.05), "shape": np.array([-1, 1])}
    graph = helper.make_graph(
        nodes,
        "darkness",
        [helper.make_tensor_value_info("image", kinds.UINT8 if uint8 else kinds.FLOAT, [batch, side, side, 3])],
        [helper.make_tensor_value_info("sunglasses", kinds.FLOAT, [batch, 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


@pytest.fixture
def onnx_maker() -> Callable[..., None]:
    """`make_onnx`, for tests that need a graph of their own."""
    return make_onnx


@pytest.fixture(scope="session")
def _bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    folder.mkdir()
    make_onnx(folder / ONNX)
    save_manifest(folder, Manifest(name="tiny", architecture="mean brightness", input_size=(8, 8)))
    return folder


@pytest.fixture
def bundle(_bundle: Path, tmp_path: Path) -> Path:
    """A bundle of its own for each test: dark pictures wear sunglasses."""
    return Path(shutil.copytree(_bundle, tmp_path / "tiny"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with ``dark.png`` (sunglasses), ``light.png`` (none) and ``far/dark.jpg`` below it."""
    folder = tmp_path / "photos"
    for name, brightness in (("dark.png", 10), ("light.png", 250), ("far/dark.jpg", 20)):
        write_image(folder / name, np.full((10, 20, 3), brightness, np.uint8))
    return folder
