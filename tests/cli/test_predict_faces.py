"""``gafas predict`` on faces: regions, schemas, annotated copies, and pictures that are odd."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from gafas.bundle import ONNX, Manifest, load_bundle, save_manifest
from gafas.cli import app
from gafas.imaging import Rgb, encode, read_image, write_image
from tests.conftest import make_onnx
from tests.faces import SEEDS, crowd, portrait

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals, pipes and limits of POSIX")


@pytest.fixture(autouse=True)
def here(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the bundle ``tiny``, which was trained on faces, and a picture with two of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAFAS_MODEL", "tiny")
    save_manifest(bundle, Manifest(name="tiny", architecture="mean brightness", input_size=(8, 8), region="face"))
    write_image(Path("two.png"), crowd(1, 2, (240, 256)))
    return tmp_path


@pytest.fixture
def both() -> None:
    """A bundle that knows eyeglasses too: P(eyeglasses) = 1 - P(sunglasses)."""
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    make_onnx(Path("tiny", ONNX))
    model = onnx.load("tiny/model.onnx")
    helper = onnx.helper
    model.graph.node[-1].output[0] = "p"
    one = onnx.numpy_helper.from_array(np.ones((1, 1), np.float32), "one")
    model.graph.initializer.append(one)
    model.graph.node.append(helper.make_node("Sub", ["one", "p"], ["q"]))
    model.graph.node.append(helper.make_node("Concat", ["p", "q"], ["sunglasses"], axis=1))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    onnx.save(model, "tiny/model.onnx")
    manifest = Manifest(
        name="both",
        architecture="mean brightness",
        input_size=(8, 8),
        outputs=("sunglasses", "eyeglasses"),
        eyeglasses_threshold=0.5,
        region="face",
    )
    save_manifest(Path("tiny"), manifest)


def gafas(*words: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, words)], input=stdin)


def judge(*words: str | Path, code: int = 0, stdin: bytes | None = None) -> list[dict[str, Any]]:
    result = gafas(*words, "-f", "jsonl", stdin=stdin)
    assert result.exit_code == code, result.output
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def refuse(*words: str | Path, code: int = 2) -> str:
    result = gafas(*words)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def tree(folder: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}


def boxes(rows: list[dict[str, Any]]) -> list[tuple[int, ...]]:
    return [tuple(row[name] for name in ("x0", "y0", "x1", "y1")) for row in rows]


def near(box: tuple[int, ...], other: tuple[int, ...], pixels: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(box, other, strict=True)) <= pixels


# Regions


def test_a_row_for_each_face() -> None:
    rows = judge("two.png")
    assert [row["region"] for row in rows] == ["face", "face"]
    assert {row["path"] for row in rows} == {"two.png"}
    for row in rows:
        assert 0.4 < row["face_confidence"] <= 1
        assert row["face_confidence"] == round(row["face_confidence"], 4)
        assert row["eyeglasses"] is None
    assert sorted(row["x0"] // 256 for row in rows) == [0, 1]


@pytest.mark.parametrize(
    ("trained_on", "asked", "expected"),
    [
        ("face", "auto", "face"),
        ("face", "whole", "whole"),
        ("whole", "auto", "whole"),
        ("whole", "face", "face"),
        ("whole", "whole", "whole"),
    ],
)
def test_the_region(trained_on: str, asked: str, expected: str) -> None:
    save_manifest(Path("tiny"), Manifest(name="t", architecture="none", input_size=(8, 8), region=trained_on))
    rows = judge("two.png", "--region", asked)
    assert [row["region"] for row in rows] == [expected] * (2 if expected == "face" else 1)
    if expected == "whole":
        assert boxes(rows) == [(0, 0, 512, 240)]
        assert rows[0]["face_confidence"] is None


def test_a_folder_as_csv() -> None:
    write_image(Path("in/a.png"), crowd(1, 3, (120, 128)))
    write_image(Path("in/b.png"), np.full((50, 60, 3), 200, np.uint8))
    Path("in/c.png").write_bytes(b"")
    assert gafas("in", "-o", "out.csv").exit_code == 1
    with Path("out.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(Path(row["path"]).name, row["status"], row["region"]) for row in csv.DictReader(stream)]
    assert rows == [("a.png", "ok", "face")] * 3 + [("b.png", "ok", "whole"), ("c.png", "error", "")]


def test_options_of_the_detector() -> None:
    assert judge("two.png", "--min-face", "200")[0]["region"] == "whole"
    assert len(judge("two.png", "--detector-size", "320")) == 2
    for words in (("--min-face", "0"), ("--detector-size", "63"), ("--detector-size", "4097")):
        assert gafas("two.png", *words).exit_code == 2
    assert "--region: expected one of auto, face, whole, got nose" in refuse("two.png", "--region", "nose")


@pytest.mark.usefixtures("both")
def test_a_table_with_boxes_and_eyeglasses() -> None:
    result = gafas("two.png", "gone.png")
    assert result.exit_code == 1
    head = result.stdout.splitlines()[1]
    for column in ("path", "label", "P(sunglasses)", "P(eyeglasses)", "region", "x0, y0, x1, y1"):
        assert column in head
    for row in judge("two.png"):
        box = f"{row['x0']}, {row['y0']}, {row['x1']}, {row['y1']}"
        (line,) = [line for line in result.stdout.splitlines() if box in line]
        assert f"{row['sunglasses']:.4f}" in line
        assert f"{row['eyeglasses']:.4f}" in line
    assert "no such file" in result.stdout


def test_a_table_of_a_model_that_does_not_know_eyeglasses() -> None:
    assert "eyeglasses" not in gafas("two.png").stdout


@pytest.mark.usefixtures("both")
def test_eyeglasses_are_filled_where_the_model_knows_them() -> None:
    for row in judge("two.png"):
        assert row["sunglasses"] + row["eyeglasses"] == pytest.approx(1, abs=1e-5)


# Odd pictures


def test_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    (row,) = judge("-", stdin=encode(noise, ".png"))
    assert (row["status"], row["region"], row["face_confidence"]) == ("ok", "whole", None)
    assert boxes([row]) == [(0, 0, 300, 200)]
    assert row["label"] in {"sunglasses", "no_sunglasses"}


def test_hundreds_of_faces() -> None:
    write_image(Path("crowd.png"), crowd(20, 20))
    rows = judge("crowd.png", "--detector-size", "1280", "--annotate", "drawn")
    assert len(rows) == 400
    assert len(set(boxes(rows))) == 400
    assert read_image("drawn/crowd.png").shape == (1200, 1280, 3)


def test_a_face_cut_by_the_border() -> None:
    cut = portrait()[:, 120:]
    write_image(Path("cut.png"), cut)
    (row,) = judge("cut.png", "--annotate", "drawn")
    assert row["region"] == "face"
    assert 0 <= row["x0"] < row["x1"] <= cut.shape[1]


@pytest.mark.parametrize("side", [1, 8])
def test_a_handful_of_pixels(side: int) -> None:
    write_image(Path("small.png"), np.full((side, side, 3), 30, np.uint8))
    (row,) = judge("small.png", "--annotate", "drawn")
    assert (row["region"], row["label"], boxes([row])) == ("whole", "sunglasses", [(0, 0, side, side)])
    assert read_image("drawn/small.png").shape == (side, side, 3)


@pytest.mark.usefixtures("both")
def test_landmarks_out_of_the_image() -> None:
    write_image(Path("above.png"), portrait()[110:])
    (record,) = judge("above.png", "--schema", "aws", "--annotate", "drawn")
    (detail,) = record["FaceDetails"]
    assert min(point["Y"] for point in detail["Landmarks"]) < 0
    assert detail["BoundingBox"]["Top"] == 0


def save(picture: Image.Image, path: str, **options: Any) -> str:
    picture.save(path, **options)
    return path


def colourless(image: Rgb) -> Image.Image:
    return Image.fromarray(image).convert("L")


def test_grey_transparent_and_rotated_pictures() -> None:
    picture = Image.fromarray(portrait(SEEDS[1]))
    # The look that is the same on every processor.
    ((expected,),) = [boxes(judge(save(picture, "plain.png"), "--thorough"))]
    pale = picture.copy().convert("RGBA")
    pale.putalpha(Image.fromarray(np.full(portrait().shape[:2], 250, np.uint8)))
    palette = picture.convert("P")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    names = [
        save(colourless(portrait(SEEDS[1])), "grey.png"),
        save(colourless(portrait(SEEDS[1])), "grey.jpg", quality=95),
        save(colourless(portrait(SEEDS[1])), "grey.pgm"),
        save(pale, "pale.png"),
        save(palette, "palette.gif"),
        save(turned, "turned.jpg", quality=95, exif=exif),
    ]
    for name in names:
        (row,) = judge(name, "--thorough")
        assert row["region"] == "face", name
        assert near(boxes([row])[0], expected), name


def test_a_rotated_picture_is_annotated_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(portrait()).transpose(Image.Transpose.ROTATE_90)
    save(turned, "turned.jpg", exif=exif)
    judge("turned.jpg", "--annotate", "drawn")
    assert read_image("drawn/turned.jpg").shape == portrait().shape
    with Image.open("drawn/turned.jpg") as drawn:
        assert not drawn.getexif()


@pytest.fixture(scope="module")
def panorama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 megapixels with one face."""
    path = tmp_path_factory.mktemp("panorama") / "panorama.jpg"
    # Noise, as every sensor has it: a flat picture of that size would pass for a bomb.
    noise = np.random.default_rng(1).integers(180, 220, (500, 500, 3), np.uint8)
    canvas = np.tile(noise, (10, 40, 1))
    canvas[1000:3160, 8000:10304] = portrait(size=(2160, 2304))
    Image.fromarray(canvas).save(path, quality=80)
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize(("words", "megabytes"), [((), 1100), (("--annotate", "drawn"), 1400)])
def test_a_panorama_of_100_megapixels_in_bounded_memory(panorama: Path, words: tuple[str, ...], megabytes: int) -> None:
    """Measured: 810 MB, with --annotate 1090 MB, however many of them; the pixels alone are 300 MB."""
    script = (
        "import sys; from gafas.cli import app\n"
        "try: app()\n"
        # Not getrusage: its peak is handed down by the process that starts this one.
        "finally: print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr)"
    )
    sources = [str(panorama)] * 2
    command = [sys.executable, "-c", script, "predict", *sources, "--threads", "1", "-f", "jsonl", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["region"] for row in rows] == ["face", "face"]
    assert near(boxes(rows)[0], (8830, 1480, 9600, 2510), pixels=250)
    peak = int(done.stderr.split()[-1]) * 1024
    assert peak < megabytes * 1e6


# Schemas


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_schemas_go_to_files_and_to_standard_output(ending: str) -> None:
    write_image(Path("none.png"), np.full((20, 30, 3), 250, np.uint8))
    words = ("two.png", "none.png", "gone.png")
    for schema, keys in (
        ("aws", {"Path", "FaceDetails"}),
        ("azure", {"path", "faces"}),
    ):
        result = gafas(*words, "--schema", schema, "-f", ending)
        assert result.exit_code == 1
        records = json.loads(result.stdout) if ending == "json" else list(map(json.loads, result.stdout.splitlines()))
        assert [set(record) - keys for record in records] == [
            set(),
            {"WholeImage" if schema == "aws" else "wholeImage"},
            {"Error" if schema == "aws" else "error"},
        ]
        path = f"{schema}.{ending}"
        assert gafas(*words, "--schema", schema, "-o", path).exit_code == 1
        assert Path(path).read_text(encoding="utf-8") == result.stdout


@pytest.mark.usefixtures("both")
def test_the_schemas_say_what_the_rows_say() -> None:
    rows = judge("two.png")
    (image,) = judge("two.png", "--schema", "aws")
    for row, detail in zip(rows, image["FaceDetails"], strict=True):
        assert detail["BoundingBox"]["Left"] == pytest.approx(row["x0"] / 512, abs=1e-6)
        assert detail["Confidence"] == pytest.approx(100 * row["face_confidence"], abs=0.01)
        said = detail["Sunglasses"]
        assert said["Value"] == (row["label"] == "sunglasses")
        share = row["sunglasses"] if said["Value"] else 1 - row["sunglasses"]
        assert said["Confidence"] == pytest.approx(100 * share, abs=1e-3)
    (image,) = judge("two.png", "--schema", "azure", "--threshold", "0")
    assert {face["faceAttributes"]["glasses"] for face in image["faces"]} == {"Sunglasses"}


@pytest.mark.usefixtures("both")
def test_schemas_are_for_json() -> None:
    expected = "error: --schema aws: expected --format json or jsonl, got "
    assert refuse("two.png", "--schema", "aws") == f"{expected}table"
    assert refuse("two.png", "--schema", "aws", "-o", "out.csv") == f"{expected}csv"
    assert "--schema: expected one of native, aws, azure, got gcp" in refuse("two.png", "--schema", "gcp")
    assert not Path("out.csv").exists()


def test_schemas_need_both_attributes() -> None:
    line = refuse("two.png", "--schema", "azure", "-f", "json")
    assert "expected a model that knows sunglasses and eyeglasses, got tiny" in line


# Annotated copies


def test_annotated_copies() -> None:
    write_image(Path("in/far/one.jpg"), portrait())
    write_image(Path("in/one.pgm"), portrait())
    write_image(Path("in/one.png"), portrait())
    Path("in/broken.png").write_bytes(b"")
    before = {name: Path("in", name).read_bytes() for name in tree("in")}
    rows = judge("in", "--annotate", "drawn", code=1)
    # A grey format cannot hold colours; and no name is lost.
    assert tree("drawn") == {"far/one.jpg", "one.png", "one-2.png"}
    assert {name: Path("in", name).read_bytes() for name in tree("in")} == before
    assert len(rows) == 4
    for name in tree("drawn"):
        drawn = read_image(Path("drawn", name)).astype(int)
        assert drawn.shape == portrait().shape
        assert (np.abs(drawn - portrait()).max(axis=-1) > 40).mean() > 0.01


def test_standard_input_is_annotated_too() -> None:
    judge("-", "--annotate", "drawn", stdin=encode(portrait(), ".jpg"))
    assert tree("drawn") == {"stdin.png"}


def test_an_image_that_cannot_be_read_is_not_annotated() -> None:
    judge("gone.png", "--annotate", "drawn", code=1)
    assert not Path("drawn").exists()


def test_a_second_run_needs_overwrite() -> None:
    judge("two.png", "--annotate", "drawn")
    assert "drawn: exists already; pass --overwrite" in refuse("two.png", "--annotate", "drawn")
    judge("two.png", "--annotate", "drawn", "--overwrite")
    assert tree("drawn") == {"two.png"}


@pytest.mark.parametrize("sources", [("in",), ("in/two.png",), ("link.png",), ("two.png", "in/sub")])
def test_originals_are_never_overwritten(sources: tuple[str, ...]) -> None:
    for name in ("in/two.png", "in/sub/two.png"):
        write_image(Path(name), portrait())
    Path("link.png").symlink_to(Path("in/two.png").absolute())
    before = Path("in/two.png").read_bytes(), Path("in/sub/two.png").read_bytes()
    line = refuse(*sources, "--annotate", "in", "--overwrite", "-o", "out.csv")
    assert "would be copied into the folder that it lies in; choose another --annotate" in line
    assert (Path("in/two.png").read_bytes(), Path("in/sub/two.png").read_bytes()) == before
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("a/b", "a"), ("a", "a/b")])
def test_the_two_kinds_of_copies_do_not_mix(one: str, other: str) -> None:
    line = refuse("two.png", "--annotate", one, "--sort-into", other)
    assert "expected folders outside of each other" in line
    assert not Path("a").exists()


def test_sorted_and_annotated_in_one_run() -> None:
    judge("two.png", "--annotate", "drawn", "--sort-into", "sorted")
    assert tree("drawn") == {"two.png"}
    (copied,) = tree("sorted")
    assert copied.endswith("/two.png")


def test_one_face_with_sunglasses_decides_where_the_image_goes() -> None:
    dark_and_light = np.concatenate([portrait() // 4, portrait() // 2 + 127], axis=1)
    write_image(Path("mixed.png"), dark_and_light)
    rows = judge("mixed.png", "--sort-into", "sorted")
    assert {row["label"] for row in rows} == {"sunglasses", "no_sunglasses"}
    assert tree("sorted") == {"sunglasses/mixed.png"}


@on_posix
def test_a_disk_that_fills_up_half_way() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\nfrom gafas.cli import main; main()"
    )
    command = [sys.executable, "-B", "-c", script, "predict", "two.png", "--annotate", "drawn"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line == "error: drawn/two.png: not written: File too large"
    assert tree("drawn") == set()


def test_the_bundle_stays_as_it_was() -> None:
    before = load_bundle("tiny").manifest
    judge("two.png", "--annotate", "drawn")
    assert load_bundle("tiny").manifest == before
