"""gafas: find who wears sunglasses in images.

>>> import gafas
>>> predictor = gafas.load_predictor("runs/latest/bundle")  # doctest: +SKIP
>>> predictor.predict("photo.jpg")[0].sunglasses  # doctest: +SKIP
0.97
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Predictor", "__version__", "load_predictor"]

if TYPE_CHECKING:
    from gafas.runtime.predictor import Predictor, load_predictor


def __getattr__(name: str) -> Any:
    # Lazy, so that `gafas --version` does not load ONNX Runtime.
    if name in {"Predictor", "load_predictor"}:
        from gafas.runtime import predictor

        return getattr(predictor, name)
    raise AttributeError(f"module 'gafas' has no attribute {name!r}")
