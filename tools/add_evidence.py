"""Give the ONNX files of a bundle that is there already the output that ``gafas explain`` asks for.

    python tools/add_evidence.py src/gafas/assets/gafas-base

Nothing is trained or quantised again, and what the model predicts stays the same to the last bit. Bundles that are
made now have the output from the start.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import onnx

from gafas.bundle import find_bundle, load_bundle, save_manifest
from gafas.files import write_folder_beside
from gafas.learn.evidence import add_evidence


def upgrade(folder: Path) -> list[str]:
    """Rewrite a bundle's ONNX files, all or none; return the names of those that were changed."""
    bundle = load_bundle(folder)
    changed = []
    with write_folder_beside(bundle.folder, overwrite=True) as target:
        shutil.copytree(bundle.folder, target, dirs_exist_ok=True)
        for path in sorted(target.glob("*.onnx")):
            before = path.read_bytes()
            after = add_evidence(onnx.load_from_string(before)).SerializeToString()
            if after != before:
                path.write_bytes(after)
                changed.append(path.name)
        save_manifest(target, bundle.manifest)
    return changed


def main(words: Sequence[str] | None = None) -> None:
    """Read the command line and upgrade the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="a bundle's folder, or a run's")
    folder = find_bundle(parser.parse_args(words).bundle)
    print(f"{folder}: changed " + (", ".join(upgrade(folder)) or "nothing"))


if __name__ == "__main__":
    main()
