"""How gafas opens a graph with ONNX Runtime: for many threads, and for inputs of many shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_session(model: Path | bytes, *, threads: int) -> Any:
    """Open an ONNX file on the CPU; whatever ONNX Runtime raises comes out as it is.

    Parameters
    ----------
    model : Path or bytes
        The file, or what is in it.
    threads : int
        For one operator; 0 takes all cores.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that spin while they wait take the processor from other images and other programs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Plans of memory are kept for every shape of input, and pictures and batches come in many: 60 MB for two threads.
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
