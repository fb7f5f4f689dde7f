"""The baseline: components from training pictures only, exported exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gafas.cli.training import train_job
from gafas.errors import DataError
from gafas.learn.config import PcaConfig
from gafas.runtime.backends import OnnxBackend
from tests.learn.conftest import MakeJob

pytestmark = pytest.mark.train


def test_components_are_orthonormal_and_explain_what_was_asked(make_job: MakeJob) -> None:
    from gafas.learn.pca import fit_pca

    job = make_job("run", "pca")
    model = fit_pca(PcaConfig(input_size=32, variance=0.9), job.pictures)
    k = len(model.explained)
    flat = model.components.reshape(k, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(k), atol=1e-8)
    assert model.explained[:-1].sum() < 0.9 <= model.explained.sum()
    assert model.mean.shape == (32, 32)


def test_folded_weights_are_scikit_learns_pipeline(make_job: MakeJob) -> None:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from gafas.learn.pca import fit_pca

    pictures = make_job("run", "pca").pictures
    model = fit_pca(PcaConfig(input_size=32, seed=3), pictures)
    grey = (pictures.images.astype(float) @ [0.299, 0.587, 0.114]).reshape(len(pictures.samples), -1)
    pipeline = make_pipeline(PCA(0.95, whiten=True, svd_solver="full"), LogisticRegression(max_iter=10_000))
    want = pipeline.fit(grey, pictures.targets).predict_proba(grey)[:, 1]
    np.testing.assert_allclose(model.predict(pictures.images), want, atol=1e-6)


def test_a_pca_run_is_a_bundle_like_any_other(make_job: MakeJob) -> None:
    job = make_job("run", "pca")
    trained = train_job(job)
    assert list(trained.stages) == ["fitted"]
    backend = OnnxBackend(job.run.bundle / "model.onnx", input_size=(32, 32))
    got = backend.probabilities(job.pictures.images)[:, 0]
    np.testing.assert_allclose(got, trained.predict(job.pictures), atol=1e-4)
    for name in ("eigenfaces.png", "explained_variance.png", "metrics.json", "predictions.csv"):
        assert (job.run.folder / name).stat().st_size > 0


def test_one_class_is_refused(make_job: MakeJob, tmp_path: Path) -> None:
    from gafas.learn.pca import fit_pca

    pictures = make_job("run", "pca").pictures
    positives = pictures.take([s.path for s in pictures.samples if s.target])
    with pytest.raises(DataError, match="both classes"):
        fit_pca(PcaConfig(input_size=32), positives)
