"""Run an exported graph with ONNX Runtime or LiteRT. One object a process and model; not thread-safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gafas.errors import BundleError, MissingExtraError, UsageError
from gafas.imaging import Rgb

Probabilities = NDArray[np.float32]


class Backend(Protocol):
    """Something that turns a batch into probabilities."""

    input_size: tuple[int, int]

    def probabilities(self, images: Rgb) -> Probabilities:
        """Score a batch.

        Parameters
        ----------
        images : uint8 array (n, height, width, 3), RGB, 0-255, of `input_size`

        Returns
        -------
        float32 array (n, outputs), in [0, 1]; column 0 is P(sunglasses)
        """
        ...


@dataclass(frozen=True, slots=True)
class OutputMeaning:
    """What the number means that a graph gives.

    Attributes
    ----------
    scale : {"probability", "logit"}
        A logit goes through a sigmoid first.
    positive : {"sunglasses", "no_sunglasses"}
        Whose score it is; the notebook's graph scores its class 1, ``no_glasses``.
    """

    scale: Literal["probability", "logit"] = "probability"
    positive: Literal["sunglasses", "no_sunglasses"] = "sunglasses"

    def to_probabilities(self, raw: NDArray[Any]) -> Probabilities:
        """Turn raw outputs (n, k) into probabilities of the attributes (n, k)."""
        values = np.asarray(raw, dtype=np.float64)
        if self.positive == "no_sunglasses":
            values = -values if self.scale == "logit" else 1 - values
        if self.scale == "logit":
            values = 1 / (1 + np.exp(-values.clip(-60, 60)))
        return values.astype(np.float32)


@dataclass(frozen=True, slots=True)
class ConstantBackend:
    """Gives every image the same probabilities: for tests, and to try a service without a model."""

    value: float
    input_size: tuple[int, int] = (128, 128)

    def probabilities(self, images: Rgb) -> Probabilities:
        """Return `value` for each image."""
        return np.full((len(images), 1), self.value, dtype=np.float32)


class OnnxBackend:
    """ONNX Runtime on the CPU.

    Parameters
    ----------
    path : Path
        The ``.onnx`` file: one image input, probabilities or logits out.
    threads : int
        For one operator; 0 takes all cores.
    meaning : OutputMeaning
    input_size : (int, int) or None
        What the manifest says; checked against the graph.

    Raises
    ------
    BundleError
        The file cannot be loaded, or is no image classifier of that input size.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        meaning: OutputMeaning | None = None,
        input_size: tuple[int, int] | None = None,
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base class.
            raise BundleError(f"{path}: not a usable ONNX model: {_first_line(error)}") from error
        graph_input = self._session.get_inputs()[0]
        self._name, self._dtype = graph_input.name, np.uint8 if "uint8" in graph_input.type else np.float32
        self.input_size = _check_input(path, graph_input.shape, input_size)
        self._meaning = meaning or OutputMeaning()

    def probabilities(self, images: Rgb) -> Probabilities:
        """Score a batch; see `Backend`."""
        raw = self._session.run(None, {self._name: images.astype(self._dtype, copy=False)})[0]
        return self._meaning.to_probabilities(raw)


class LiteRtBackend:
    """LiteRT (TensorFlow Lite) on the CPU; parameters and errors as `OnnxBackend`.

    Raises
    ------
    MissingExtraError
        LiteRT is not installed.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        meaning: OutputMeaning | None = None,
        input_size: tuple[int, int] | None = None,
    ) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtraError("running .tflite models", "litert") from error
        try:
            self._interpreter = Interpreter(str(path), num_threads=threads or None)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{path}: not a usable TFLite model: {_first_line(error)}") from error
        details = self._interpreter.get_input_details()[0]
        self._input, self._dtype = details["index"], details["dtype"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._batch = int(details["shape"][0])
        self.input_size = _check_input(path, details["shape"].tolist(), input_size)
        self._meaning = meaning or OutputMeaning()

    def probabilities(self, images: Rgb) -> Probabilities:
        """Score a batch; see `Backend`."""
        if not len(images):
            return np.zeros((0, 1), dtype=np.float32)
        if len(images) != self._batch:
            self._interpreter.resize_tensor_input(self._input, images.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(images)
        self._interpreter.set_tensor(self._input, images.astype(self._dtype, copy=False))
        self._interpreter.invoke()
        return self._meaning.to_probabilities(self._interpreter.get_tensor(self._output))


def open_model(
    path: Path,
    *,
    threads: int = 1,
    meaning: OutputMeaning | None = None,
    input_size: tuple[int, int] | None = None,
) -> Backend:
    """Open a model file by its ending.

    Raises
    ------
    UsageError
        Neither ``.onnx`` nor ``.tflite``.
    BundleError
        The file does not exist or is not usable.
    """
    kinds: dict[str, type[OnnxBackend] | type[LiteRtBackend]] = {
        ".onnx": OnnxBackend,
        ".tflite": LiteRtBackend,
    }
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path}: expected a bundle, a run folder, .onnx or .tflite, got {path.suffix or 'no ending'}")
    if not path.is_file():
        raise BundleError(f"{path}: no such model file")
    return kind(path, threads=threads, meaning=meaning, input_size=input_size)


def _check_input(path: Path, shape: Sequence[Any], wanted: tuple[int, int] | None) -> tuple[int, int]:
    if len(shape) != 4 or shape[3] != 3 or not all(isinstance(side, int) for side in shape[1:3]):
        raise BundleError(f"{path}: expected an input (n, height, width, 3), got {list(shape)}")
    size = (int(shape[1]), int(shape[2]))
    if wanted is not None and size != wanted:
        raise BundleError(
            f"{path}: the graph takes {size[0]}×{size[1]} pixels, the manifest says {wanted[0]}×{wanted[1]}; "
            "export the model again"
        )
    return size


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
