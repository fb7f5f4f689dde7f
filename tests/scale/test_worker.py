"""The worker of every engine by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gafas.errors import BundleError, GafasError
from gafas.scale.listing import list_blocks
from gafas.scale.parts import Tally
from gafas.scale.worker import BlockWorker, decide_precision
from tests.scale.jobs import draw_images, make_work, read_rows

pytest.importorskip("pyarrow", reason="the scale extra is not installed")


def test_a_finished_block_is_not_judged_again(bundle: Path, tmp_path: Path) -> None:
    images = draw_images(tmp_path / "images", 5, broken=1)
    (block,) = list_blocks([str(images)])
    worker = BlockWorker(make_work(bundle, tmp_path / "rows"))
    assert worker.run(block) == Tally(1, 5, 1, 5)
    rows = read_rows(tmp_path / "rows")
    # Whoever looked at the images now would find none.
    for path in images.rglob("*.png"):
        path.unlink()
    assert worker.run(block) == Tally(1, 5, 1, 5)
    assert read_rows(tmp_path / "rows") == rows


def test_a_worker_elsewhere_is_the_same(bundle: Path, tmp_path: Path) -> None:
    work = make_work(bundle, tmp_path / "rows")
    with pytest.raises(GafasError, match=r"0\.0\.0 where the job was started; install the same"):
        BlockWorker(replace(work, version="0.0.0"))
    (bundle / "manifest.json").write_text((bundle / "manifest.json").read_text().replace("tiny", "other"))
    with pytest.raises(BundleError, match="is another model here than where the job was started"):
        BlockWorker(work)


def test_precision_is_decided_once(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gafas.runtime import machine

    monkeypatch.setattr(machine, "processor_features", lambda: frozenset({"avx512_vnni"}))
    assert decide_precision("gafas-base", "auto", "auto") == "int8"
    assert decide_precision("gafas-base", "auto", "litert") == "auto"
    # It has no int8: the classifier stays float32, the detector is as fast as it can be.
    assert decide_precision(bundle, "auto", "auto") == "auto"
    monkeypatch.setattr(machine, "processor_features", lambda: frozenset())
    assert decide_precision("gafas-base", "auto", "auto") == "float32"
