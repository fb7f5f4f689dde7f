"""Compute the manifest of the CMU Face Images that the package carries.

    python tools/make_cmu_manifest.py path/to/cmu_faces src/gafas/assets/cmu_faces.csv.gz

Run it on a tree that is known to be complete: everything is later compared with what it writes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gafas.datasets.verify import make_manifest, pack_manifest
from gafas.files import write_beside

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    manifest = make_manifest(arguments.root)
    with write_beside(arguments.target) as temporary:
        temporary.write_bytes(pack_manifest(manifest))
    print(f"{arguments.target}: {len(manifest):,} files, {arguments.target.stat().st_size:,} bytes")
