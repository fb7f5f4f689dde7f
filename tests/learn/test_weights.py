"""Where backbone weights come from, and wrong files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gafas.errors import WeightsError
from gafas.learn.weights import PACKAGED, find_weights


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAFAS_WEIGHTS", raising=False)


@pytest.mark.usefixtures("unset")
def test_packaged_is_the_offline_default() -> None:
    source = find_weights(None)
    assert source.kind == "packaged"
    assert source.path is not None
    assert source.path.name == PACKAGED
    assert source.path.stat().st_size < 5_000_000


def test_environment_comes_before_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.weights.h5").write_bytes(b"x")
    monkeypatch.setenv("GAFAS_WEIGHTS", str(tmp_path))
    assert find_weights(None).path == tmp_path / "a.weights.h5"
    assert find_weights("packaged").kind == "packaged"
    assert find_weights("imagenet").kind == "imagenet"


def test_option_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GAFAS_WEIGHTS", str(tmp_path / "nowhere"))
    given = tmp_path / "b.weights.h5"
    given.write_bytes(b"x")
    assert find_weights(str(given)).path == given
    with pytest.raises(WeightsError, match=r"\$GAFAS_WEIGHTS .*nowhere: expected a Keras .weights.h5 file"):
        find_weights(None)


def test_a_folder_must_hold_one_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"a folder with 0 \.h5 files"):
        find_weights(str(tmp_path))


@pytest.mark.train
@pytest.mark.parametrize("kind", ["text", "empty", "other"])
def test_wrong_weights_file(kind: str, tmp_path: Path) -> None:
    import h5py

    from gafas.learn.config import NotebookConfig
    from gafas.learn.model import build_network
    from gafas.learn.weights import WeightsSource

    path = tmp_path / "wrong.weights.h5"
    if kind == "other":
        with h5py.File(path, "w") as file:
            file.create_group("layers/dense/vars").create_dataset("0", data=[1.0, 2.0])
    else:
        path.write_text("not weights" if kind == "text" else "")
    with pytest.raises(WeightsError, match=r"wrong\.weights\.h5: expected MobileNetV2 weights"):
        build_network(NotebookConfig(input_size=32), WeightsSource("file", path))
