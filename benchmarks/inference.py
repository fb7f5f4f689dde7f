"""Time of one crop, one thread: the notebook's shipped TFLite file against the bundles that gafas carries.

    python benchmarks/inference.py [--rounds 7] [--reference model.tflite] [--accuracy] [--json FILE]

Reference and candidates take turns in one process. ``--accuracy`` adds what each is worth on the held-out part of
CelebA and on the CMU Face Images. The last table says how far each is from what the processor can do at most: its
multiply-adds against the rate of a large matrix product.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from common import Pairs, finish, markdown, paired, show_ratio  # isort: skip  # its neighbour
from gafas.bundle import CARRIED, ONNX, ONNX_INT8, shipped_bundle
from gafas.runtime.backends import Backend, OutputMeaning, open_model

PRECISIONS = {"float32": ONNX, "int8": ONNX_INT8}
PUBLISHED = [
    ("SGC, 48×48 (published, its own test set and machine)", "0.23-1.03", "", "", "F1 0.864-0.955"),
    ("glasses-detector, medium, 256×256 (published, its own test set)", "", "", "4.95 MB", "F1 0.931"),
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One graph to be timed."""

    name: str
    bundle: str
    precision: str
    path: Path


def find_candidates() -> list[Candidate]:
    """Return the graphs of the bundles that this installation carries."""
    found = []
    for bundle in CARRIED:
        folder = shipped_bundle(bundle)
        for precision, file in PRECISIONS.items():
            if (folder / file).is_file():
                found.append(Candidate(f"{bundle}, {precision}", bundle, precision, folder / file))
    return found


def find_reference(given: Path | None) -> Path | None:
    """Return the notebook's TFLite file: `given`, else the one beside ``$GAFAS_DATA``, else ``None``."""
    place = given or Path(os.environ.get("GAFAS_DATA", "data")).parent / "seed" / "model.tflite"
    return place if place.is_file() else None


def timer(backend: Backend, *, calls: int) -> Callable[[], float]:
    """Return what times one crop: the median of `calls` calls, in seconds."""
    crop = np.random.default_rng(0).integers(0, 256, (1, *backend.input_size, 3)).astype(np.uint8)

    def measure() -> float:
        backend.probabilities(crop)
        seconds = []
        for _ in range(calls):
            started = time.perf_counter()
            backend.probabilities(crop)
            seconds.append(time.perf_counter() - started)
        return statistics.median(seconds)

    return measure


def multiply_adds(path: Path) -> int:
    """Count the multiply-adds of a graph's convolutions and dense layers for one image."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    shapes = {value.name: value.type.tensor_type.shape.dim for value in (*model.graph.value_info, *model.graph.output)}
    made_by = {name: node for node in model.graph.node for name in node.output}
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}

    def weight(name: str) -> tuple[int, ...]:
        # Behind a cast from float16, or behind the scale of int8.
        return weights[name] if name in weights else weight(made_by[name].input[0])

    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            places = [size.dim_value for size in shapes[node.output[0]]][2:]
            total += int(np.prod(weight(node.input[1])) * np.prod(places))
        elif node.op_type in {"Gemm", "MatMul"}:
            total += int(np.prod(weight(node.input[1])))
    return total


def peak(kind: str, *, size: int = 1536, calls: int = 4) -> float:
    """Return multiply-adds a second of a large square matrix product with one thread, float32 or int8."""
    number = onnx.TensorProto.FLOAT if kind == "float32" else onnx.TensorProto.UINT8
    other = onnx.TensorProto.FLOAT if kind == "float32" else onnx.TensorProto.INT8
    node = onnx.helper.make_node("MatMul" if kind == "float32" else "MatMulInteger", ["a", "b"], ["c"])
    random = np.random.default_rng(0)
    square = random.integers(-127, 128, (size, size))
    weights = square.astype(np.float32) if kind == "float32" else square.astype(np.int8)
    given = random.integers(0, 256, (size, size)).astype(np.float32 if kind == "float32" else np.uint8)
    result = onnx.TensorProto.FLOAT if kind == "float32" else onnx.TensorProto.INT32
    graph = onnx.helper.make_graph(
        [node],
        "product",
        [onnx.helper.make_tensor_value_info("a", number, [size, size])],
        [onnx.helper.make_tensor_value_info("c", result, [size, size])],
        # A constant, so that the runtime may pack it once, as it does with a model's weights.
        [onnx.helper.make_tensor("b", other, [size, size], weights.tobytes(), raw=True)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        session.run(None, {"a": given})
        seconds.append(time.perf_counter() - started)
    return float(size**3 / min(seconds))


def accuracies(candidate: Candidate, limit: int | None) -> dict[str, Any]:
    """Judge a bundle on held-out CelebA and on CMU: F1 and accuracy for sunglasses, with n."""
    from gafas.datasets.locate import load_dataset
    from gafas.datasets.splits import find_split, read_split
    from gafas.imaging import read_image
    from gafas.runtime.predictor import load_predictor
    from gafas.scoring.metrics import evaluate

    folder = shipped_bundle(candidate.bundle)
    predictor = load_predictor(folder, precision=candidate.precision, threads=0)
    split = find_split(folder) or find_split(shipped_bundle("gafas-base"))
    celeba, cmu = load_dataset("celeba_glasses"), load_dataset("cmu_faces")
    held = set(read_split(split).test) if split else set()
    figures: dict[str, Any] = {}
    for name, dataset, samples in (
        ("celeba", celeba, [sample for sample in celeba.at("full") if sample.path in held]),
        ("cmu", cmu, list(cmu.at("full"))),
    ):
        chosen = samples[:: max(1, len(samples) // limit)] if limit else samples
        scores = predictor.score([read_image(dataset.root / sample.path) for sample in chosen])[:, 0]
        judged = evaluate([sample.target for sample in chosen], scores, threshold=predictor.threshold)
        figures[name] = {"accuracy": judged.accuracy, "f1": judged.f1, "n": len(chosen)}
    return figures


def open_reference(given: Path | None) -> tuple[str, Path, Backend]:
    """Return the name, the file and the opened graph that everything is measured against."""
    file = find_reference(given)
    if file is not None:
        meaning = OutputMeaning("logit", "no_sunglasses")
        return "the notebook's model.tflite, LiteRT", file, open_model(file, meaning=meaning)
    print("the notebook's model.tflite is not here: gafas-base in float32 stands for it\n")
    file = shipped_bundle() / ONNX
    return "gafas-base, float32", file, open_model(file)


def time_row(name: str, seconds: list[float], ratio: str, file: Path, worth: dict[str, Any]) -> tuple[object, ...]:
    """Return one row of the first table."""
    words = (f"{k} F1 {v['f1']:.4f}, accuracy {v['accuracy']:.4f} (n = {v['n']})" for k, v in worth.items())
    megabytes = f"{file.stat().st_size / 1e6:.2f} MB"
    return (name, f"{1000 * statistics.median(seconds):.3f}", ratio, megabytes, "; ".join(words))


def measure_times(
    candidates: list[Candidate], arguments: argparse.Namespace
) -> tuple[str, dict[str, Pairs], dict[str, Any]]:
    """Time all candidates against the reference; return the table, the times and the figures."""
    name, file, reference = open_reference(arguments.reference)
    reference_timer = timer(reference, calls=arguments.calls)
    measured: dict[str, Pairs] = {}
    rows = []
    figures: dict[str, Any] = {"reference": name, "rounds": arguments.rounds, "calls": arguments.calls}
    figures["candidates"] = {}
    for candidate in candidates:
        backend = open_model(candidate.path)
        pairs = paired(reference_timer, timer(backend, calls=arguments.calls), rounds=arguments.rounds)
        measured[candidate.name] = pairs
        worth = accuracies(candidate, 16 if arguments.smoke else None) if arguments.accuracy else {}
        rows.append(time_row(candidate.name, pairs.candidate, show_ratio(pairs), candidate.path, worth))
        figures["candidates"][candidate.name] = {
            **pairs.to_json(),
            "bytes": candidate.path.stat().st_size,
            "figures": worth,
        }
    every = [seconds for pairs in measured.values() for seconds in pairs.reference]
    rows.insert(0, time_row(name, every, "1", file, {}))
    table = markdown(["one crop, 1 thread", "ms", "ratio: median (min-max)", "file", "sunglasses"], [*rows, *PUBLISHED])
    return table, measured, figures


def measure_limits(candidates: list[Candidate], measured: dict[str, Pairs], *, size: int) -> tuple[str, dict[str, Any]]:
    """Compare each candidate with a matrix product of `size`; return the table and the figures."""
    limits = {kind: peak(kind, size=size) for kind in PRECISIONS}
    rows, figures = [], {}
    for candidate in candidates:
        work, rate = multiply_adds(candidate.path), limits[candidate.precision]
        least, seconds = work / rate, statistics.median(measured[candidate.name].candidate)
        rows.append(
            (candidate.name, f"{work / 1e6:.1f}", f"{rate / 1e9:.0f}", f"{1000 * least:.3f}", f"{seconds / least:.1f}")
        )
        figures[candidate.name] = {"multiply_adds": work, "least_seconds": least}
    headers = [
        "the machine's limit",
        "10⁶ multiply-adds",
        "10⁹/s in a matrix product",
        "least ms",
        "times that",
    ]
    return markdown(headers, rows), {"peak": limits, "candidates": figures}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=200, help="of each graph in a round; their median counts")
    parser.add_argument("--reference", type=Path, help="the notebook's model.tflite")
    parser.add_argument("--accuracy", action="store_true", help="judge each bundle on the real data too")
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes: that it runs, not how fast")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.calls = 2, 5
    candidates = find_candidates()
    times, measured, figures = measure_times(candidates, arguments)
    limits, figures["limits"] = measure_limits(candidates, measured, size=256 if arguments.smoke else 1536)
    finish("One crop", f"{times}\n\n{limits}", figures, arguments.json)


if __name__ == "__main__":
    main()
