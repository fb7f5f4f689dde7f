"""A cluster of three nodes and an S3 server, each started once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

NODE = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
"""One worker each; what is moved is a few numbers."""


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Any]:
    pytest.importorskip("ray", reason="the scale extra is not installed")
    from ray.cluster_utils import Cluster

    cluster = _patiently(lambda: Cluster(initialize_head=True, head_node_args=NODE))
    try:
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture
def cluster(_cluster: Any) -> Any:
    """Three nodes of one core each; a node that an earlier test has taken away is put back."""
    while len(_cluster.list_all_nodes()) < 3:
        _patiently(lambda: _cluster.add_node(**NODE))
    return _cluster


def _patiently(start: Callable[[], Any]) -> Any:
    """Start a node; Ray gives its agents 15 s, which is too little on a busy machine."""
    for _ in range(3):
        try:
            return start()
        except Exception as error:  # noqa: BLE001  # Ray raises nothing more precise
            logging.getLogger(__name__).warning("a node of Ray did not start: %s", error)
            last = error
    raise last


@pytest.fixture
def gafas() -> Any:
    """Run a command in this process."""
    from typer.testing import CliRunner

    from gafas.cli import app

    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
