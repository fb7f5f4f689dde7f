"""Pack a float32 Keras weights file as float16: the backbone that the package carries.

    python tools/pack_backbone.py mobilenet_v2_1.0_160_no_top.weights.h5 \
        src/gafas/assets/mobilenet_v2_1.0_160_no_top.float16.weights.h5

The layout stays as it is, so Keras loads the result like the original and casts to float32. The
largest value must fit float16; a moving variance that rounds to zero does no harm, because
BatchNorm adds its epsilon (0.001) to it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np

from gafas.files import write_beside


def pack(source: Path, target: Path) -> None:
    """Copy `source` to `target` with every float32 data set as compressed float16."""
    # HDF5's own lock would meet the one that says that the file is being written.
    with (
        write_beside(target) as temporary,
        h5py.File(source) as old,
        h5py.File(temporary, "w", libver="latest", locking=False) as new,
    ):

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                values = item[()]
                if np.asarray(values).dtype == np.float32:
                    values = np.asarray(values).astype(np.float16)
                    if not np.isfinite(values).all():
                        raise SystemExit(f"{source}: {name} does not fit float16")
                options = {"compression": "gzip", "shuffle": True} if np.size(values) > 4096 else {}
                made = new.create_dataset(name, data=values, track_times=False, **options)
            else:
                made = new.require_group(name)
            for key, value in item.attrs.items():
                made.attrs[key] = value

        for key, value in old.attrs.items():
            new.attrs[key] = value
        old.visititems(copy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    pack(arguments.source, arguments.target)
    print(f"{arguments.target}: {arguments.target.stat().st_size:,} bytes")
