"""Principal components of grey pixels, then logistic regression: the baseline that the notebook talks of.

The notebook speaks of principal components but computes none. Here they are, with scikit-learn, fitted on
training pictures only. The fitted model is linear in the pixels, so it exports to ONNX exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.errors import DataError, MissingExtraError
from gafas.imaging import LUMA, Rgb
from gafas.learn.config import PcaConfig
from gafas.learn.pictures import Pictures

ARCHITECTURE = "PCA of grey pixels, logistic regression"


@dataclass(frozen=True, slots=True)
class PcaModel:
    """A fitted baseline.

    Attributes
    ----------
    mean : float array (side, side)
        Mean grey training picture, 0-255.
    components : float array (k, side, side)
        Unit vectors of pixels ("eigenfaces"), by falling variance.
    explained : float array (k,)
        Share of the training pixels' variance that each component explains.
    weights : float array (side, side)
        Logit of sunglasses per grey level, all components folded together.
    bias : float
    """

    mean: NDArray[np.float64]
    components: NDArray[np.float64]
    explained: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def predict(self, images: Rgb) -> NDArray[np.float64]:
        """Return P(sunglasses) of uint8 images (n, side, side, 3); (n,)."""
        logits = _grey(images) @ self.weights.ravel() + self.bias
        return np.asarray(1 / (1 + np.exp(-logits)))


def fit_pca(config: PcaConfig, train: Pictures) -> PcaModel:
    """Fit components and regression on training pictures.

    Raises
    ------
    DataError
        Fewer than three pictures, or one class only.
    MissingExtraError
        scikit-learn is not installed.
    """
    try:
        from sklearn.decomposition import PCA
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError("recipe pca", "train") from error
    targets = train.targets
    if len(targets) < 3 or len(set(targets.tolist())) < 2:
        raise DataError(f"recipe pca needs three images and both classes, got {len(targets)} images")
    pca = PCA(config.variance, whiten=True, svd_solver="full", random_state=config.seed)
    features = pca.fit_transform(_grey(train.images))
    regression = LogisticRegression(C=config.regularization, max_iter=10_000, random_state=config.seed)
    regression.fit(features, targets)
    # logit = ((grey - mean) · components / sqrt(variance)) · coefficients + intercept
    scaled = regression.coef_[0] / np.sqrt(pca.explained_variance_)
    weights = scaled @ pca.components_
    side = (config.input_size, config.input_size)
    return PcaModel(
        mean=pca.mean_.reshape(side),
        components=pca.components_.reshape(-1, *side),
        explained=pca.explained_variance_ratio_,
        weights=weights.reshape(side),
        bias=float(regression.intercept_[0] - pca.mean_ @ weights),
    )


def save_onnx(model: PcaModel, path: Path) -> None:
    """Write the baseline as an ONNX graph: RGB pixels 0-255 (n, side, side, 3) → P(sunglasses) (n, 1)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    side = model.weights.shape[0]
    weights = (model.weights[..., None] * LUMA).reshape(-1, 1).astype(np.float32)
    bias = np.array([model.bias], dtype=np.float32)
    nodes = [
        helper.make_node("Flatten", ["image"], ["pixels"]),
        helper.make_node("Gemm", ["pixels", "weights", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["sunglasses"]),
    ]
    graph = helper.make_graph(
        nodes,
        "pca",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", side, side, 3])],
        [helper.make_tensor_value_info("sunglasses", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    made: Any = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())


def _grey(images: Rgb) -> NDArray[np.float64]:
    return np.asarray((images.astype(np.float64) @ LUMA).reshape(len(images), -1))
