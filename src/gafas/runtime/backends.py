"""Run an exported graph with ONNX Runtime or LiteRT. One object a process and model, for any number of threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gafas.bundle import MAX_SIDE
from gafas.errors import BundleError, MissingExtraError, UsageError
from gafas.imaging import Rgb
from gafas.runtime.onnx_file import MAX_MODEL_BYTES, drop_output, read_onnx_file
from gafas.runtime.sessions import open_session

Probabilities = NDArray[np.float32]
Evidence = NDArray[np.float32]

EVIDENCE = "evidence"
"""Name of the output by which a graph says where its logits come from; see `gafas.learn.evidence`."""

ASK_EVIDENCE = "ask_evidence"
"""Name of the input, a bool, without which a graph leaves that output empty."""


class Backend(Protocol):
    """Something that turns a batch into probabilities."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the images that it takes."""
        ...

    def probabilities(self, images: Rgb) -> Probabilities:
        """Score a batch.

        Parameters
        ----------
        images : uint8 array (n, height, width, 3), RGB, 0-255, of `input_size`

        Returns
        -------
        float32 array (n, outputs), in [0, 1]; column 0 is P(sunglasses)

        Raises
        ------
        BundleError
            The graph cannot run, or gives something else than probabilities.
        """
        ...


class ExplainingBackend(Backend, Protocol):
    """A backend that may say which places of an image its scores come from; ask `can_explain` first."""

    @property
    def explains(self) -> bool:
        """Whether this model can."""
        ...

    def evidence(self, images: Rgb) -> Evidence:
        """Share a batch's logits out among the places of the images.

        Parameters
        ----------
        images : uint8 array (n, height, width, 3), RGB, 0-255, of `input_size`

        Returns
        -------
        float32 array (n, h, w, outputs)
            A coarse map of each image; above 0 speaks for the attribute. The mean over h and w, plus a number that is
            the same for all images, is the logit.

        Raises
        ------
        BundleError
            `explains` is false, or the graph cannot run.
        """
        ...


def can_explain(backend: Backend) -> TypeGuard[ExplainingBackend]:
    """Say whether a backend gives `ExplainingBackend.evidence`."""
    return bool(getattr(backend, "explains", False))


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
        The file cannot be loaded, or is no image classifier of that input size for batches of any size.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        meaning: OutputMeaning | None = None,
        input_size: tuple[int, int] | None = None,
    ) -> None:
        data = read_onnx_file(path)
        # Opening the part that explains takes longer than all the rest, and most never ask for it.
        without = drop_output(data, EVIDENCE)
        self._path, self._threads, self._meaning = path, threads, meaning or OutputMeaning()
        self._session = self._open(data if without is None else without)
        self._explaining: Any = None
        self._lock = threading.Lock()
        graph_inputs = self._session.get_inputs()
        if len(graph_inputs) != 1:
            raise BundleError(f"{path}: expected a graph with one input, got {len(graph_inputs)}")
        graph_input = graph_inputs[0]
        self._name = graph_input.name
        self._dtype = _check_dtype(path, graph_input.type.removeprefix("tensor(").removesuffix(")"))
        self.input_size = _check_input(path, graph_input.shape, input_size)
        if isinstance(graph_input.shape[0], int):
            raise BundleError(
                f"{path}: expected an input for batches of any size, got one for {graph_input.shape[0]}; "
                "export the model again"
            )
        self._output = self._session.get_outputs()[0].name
        optional = {value.name for value in self._session.get_overridable_initializers()}
        self.explains = without is not None and ASK_EVIDENCE in optional

    def _open(self, model: bytes) -> Any:
        try:
            return open_session(model, threads=self._threads)
        except Exception as error:  # ONNX Runtime's errors share no base class.
            raise BundleError(f"{self._path}: not a usable ONNX model: {_first_line(error)}") from error

    def probabilities(self, images: Rgb) -> Probabilities:
        """Score a batch; see `Backend`."""
        if not len(images):
            return np.zeros((0, 1), dtype=np.float32)
        raw = self._run(self._session, self._output, {self._name: images.astype(self._dtype, copy=False)})
        return _check_output(self._path, self._meaning.to_probabilities(raw), len(images))

    def evidence(self, images: Rgb) -> Evidence:
        """Share the logits out among the places of the images; see `ExplainingBackend`."""
        if not self.explains:
            raise BundleError(f"{self._path}: expected a graph with an output {EVIDENCE}; export the model again")
        with self._lock:
            self._explaining = self._explaining or self._open(read_onnx_file(self._path))
        pixels = images.astype(self._dtype, copy=False)
        shares = self._run(self._explaining, EVIDENCE, {self._name: pixels, ASK_EVIDENCE: np.array(True)})
        return np.asarray(-shares if self._meaning.positive == "no_sunglasses" else shares, dtype=np.float32)

    def _run(self, session: Any, output: str, given: dict[str, NDArray[Any]]) -> NDArray[Any]:
        try:
            return np.asarray(session.run([output], given)[0])
        except Exception as error:  # ONNX Runtime's errors share no base class.
            raise BundleError(f"{self._path}: the graph cannot run: {_first_line(error)}") from error


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
            self._interpreter = Interpreter(str(path), num_threads=threads or os.cpu_count())
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{path}: not a usable TFLite model: {_first_line(error)}") from error
        details = self._interpreter.get_input_details()[0]
        self._input, self._dtype = details["index"], _check_dtype(path, np.dtype(details["dtype"]).name)
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._batch = int(details["shape"][0])
        self.input_size = _check_input(path, details["shape"].tolist(), input_size)
        self._path, self._meaning = path, meaning or OutputMeaning()
        # An interpreter holds the tensors of one call at a time.
        self._lock = threading.Lock()

    def probabilities(self, images: Rgb) -> Probabilities:
        """Score a batch; see `Backend`."""
        if not len(images):
            return np.zeros((0, 1), dtype=np.float32)
        with self._lock:
            raw = self._invoke(images)
        return _check_output(self._path, self._meaning.to_probabilities(raw), len(images))

    def _invoke(self, images: Rgb) -> NDArray[Any]:
        try:
            if len(images) != self._batch:
                self._interpreter.resize_tensor_input(self._input, images.shape)
                self._interpreter.allocate_tensors()
                self._batch = len(images)
            self._interpreter.set_tensor(self._input, images.astype(self._dtype, copy=False))
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{self._path}: the graph cannot run: {_first_line(error)}") from error
        return np.asarray(self._interpreter.get_tensor(self._output))


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
    if (count := path.stat().st_size) > MAX_MODEL_BYTES:
        raise BundleError(f"{path}: {count:,} bytes, expected at most {MAX_MODEL_BYTES:,}; not a model of gafas")
    return kind(path, threads=threads, meaning=meaning, input_size=input_size)


def _check_input(path: Path, shape: Sequence[Any], wanted: tuple[int, int] | None) -> tuple[int, int]:
    if len(shape) != 4 or shape[3] != 3 or not all(isinstance(side, int) for side in shape[1:3]):
        raise BundleError(f"{path}: expected an input (n, height, width, 3), got {list(shape)}")
    size = (int(shape[1]), int(shape[2]))
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise BundleError(f"{path}: expected an input of 1 to {MAX_SIDE} pixels a side, got {size[0]}×{size[1]}")
    if wanted is not None and size != wanted:
        raise BundleError(
            f"{path}: the graph takes {size[0]}×{size[1]} pixels, the manifest says {wanted[0]}×{wanted[1]}; "
            "export the model again"
        )
    return size


def _check_dtype(path: Path, name: str) -> DTypeLike:
    if name not in {"float", "float32", "uint8"}:
        raise BundleError(f"{path}: expected an input of float32 or uint8 pixels, got {name}")
    return np.uint8 if name == "uint8" else np.float32


def _check_output(path: Path, values: Probabilities, count: int) -> Probabilities:
    if values.ndim != 2 or len(values) != count or not values.shape[1]:
        raise BundleError(f"{path}: expected an output ({count}, outputs), got {values.shape}")
    # A logit taken for a probability would pass for a confident answer; a softmax may round to a little over 1.
    if not ((values >= -1e-6) & (values <= 1 + 1e-6)).all():
        got = f"{values.min():.4g} to {values.max():.4g}"
        raise BundleError(f"{path}: expected probabilities from 0 to 1, got {got}; are they logits?")
    return values.clip(0, 1)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
