# SPDX-License-Identifier: Apache-2.0
"""Common mistakes: each ends with an exit code, a line that names the cause, and no traceback."""

from __future__ import annotations

import importlib.util
import json
import resource
import shlex
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.images import write_images

from perception.bags.writer import write_bag
from perception.cli.main import main
from perception.frame import CameraModel, Frame
from perception.paths import config_path

MODULE = {
    **dict.fromkeys(("train", "prune", "pseudo-label", "export"), "mmseg"),
    **dict.fromkeys(("node", "replay", "demo"), "rclpy"),
    "view": "rerun",
}
"""The parts that a command cannot work without."""

LABEL = "label W/images -o O/out --model M --threads 1"
TRAIN = "train W/CONFIG --data camvid=W/camvid --iterations 1 --batch-size 2 --workers 0 -o O/work"

MISTAKES = [
    # of names and options
    ("lable W/images", "no command 'lable'; did you mean `perception label`?"),
    ("label", "the following arguments are required"),
    (f"{LABEL} --wirte masks", "unknown argument '--wirte', did you mean --write?"),
    (f"{LABEL} --write mask", "invalid choice: 'mask'"),
    (f"{LABEL} --workers 0", "expected a number of at least 1"),
    (f"{LABEL} --workers many", "many"),
    (f"{LABEL} --cross-check -1", "at least"),
    (f"{LABEL} --depth-unit inch", "'inch': not a unit of depth; use m, cm, mm, m/256"),
    (f"{LABEL} --as thermal", "invalid choice: 'thermal'"),
    ("export W/text.safetensors --frames 0", "expected a number of at least 1"),
    ("eval camvit W/camvid", "no data set is called 'camvit'; did you mean 'camvid'?"),
    ("eval camvid W/camvid --modalities rbg", "no sensor is called 'rbg'; did you mean 'rgb'? There are rgb, depth"),
    ("simulate -o O/drive --frames 0", "frames"),
    ("simulate -o O/drive --scale 0", "scale"),
    ("simulate -o O/drive --hz nan", "--hz: nan is not a positive number"),
    ("simulate -o O/drive --drives 0", "at least 1"),
    ("replay W/bag --rate 0", "not a positive number"),
    ("replay W/bag --remap /image=/camera", "FROM:=TO"),
    # of paths
    ("label W/nowhere -o O/out", "nowhere: no such bag, drive or folder"),
    ("label W/image -o O/out", "image: no such bag, drive or folder; the nearest is W/images"),
    ("check W/notabg", "notabg: no such bag, drive or folder; the nearest is W/notabag"),
    ("replay W/images", "images: is a folder of images; expected a bag (metadata.yaml, .mcap or .db3); a KITTI drive"),
    ("kitti2bag W/bag -o O/new", "bag: is a bag; expected a KITTI drive (image_02/data"),
    ("init W/images/000.png -o O/rig.yaml", "000.png: is a file, but not of a bag (.mcap, .db3)"),
    ("label W/images/000.png -o O/out", "name its folder: W/images, a folder of images"),
    ("check W/parent --compare 0", "parent: is not a recording: it has 1 folder (images) and no file"),
    ("label W/empty -o O/out", "empty: is an empty folder; expected a bag (metadata.yaml"),
    ("label W/text.txt -o O/out", "text.txt: is a file"),
    ("label W/parent -o O/out", "parent: is not a recording: it has 1 folder"),
    ("label W/images W/images -o O/out", "two inputs are called images"),
    (f"{LABEL} --calibration W/nowhere.yaml", "nowhere.yaml: No such file"),
    (f"{LABEL} --model nowhere", "nowhere"),
    ("view W/nowhere --save O/a.rrd", "nowhere: no such bag, drive or folder"),
    ("view W/nowhere.rrd", "nowhere.rrd"),
    ("explain W/nowhere.png", "nowhere.png: no such file; a frame is IMAGE, BAG:NUMBER"),
    ("explain W/images", "images: say which frame"),
    ("explain W/images:7", "no frame 7; it has 0 to 1"),
    ("explain W/bag:99 --model M", "no frame 99; it has 0 to 1"),
    ("explain simulated:x", "expected simulated:SEED"),
    ("replay W/nowhere", "nowhere"),
    ("kitti2bag W/nowhere -o O/bag", "nowhere"),
    ("kitti2bag W/images -o O/bag", "images"),
    ("eval camvid W/nowhere", "nowhere"),
    ("eval camvid W/camvit", "; the nearest is W/camvid"),
    ("pseudo-label camvid=W/camvit --split val --model W/text.safetensors -o O/new", "; the nearest is W/camvid"),
    ("eval camvid", "camvid: no folder given"),
    ("eval msrs W/images", "no pair of folders"),
    ("demo --kitti W/nowhere -o O/demo", "nowhere"),
    ("bench --model W/nowhere.xml -o O/bench", "nowhere.xml"),
    ("node --topics kitti2bog", "kitti2bag"),
    (
        "node --topics W/cameras.yaml:left",
        "cameras.yaml: no camera left; name one: W/cameras.yaml:front, W/cameras.yaml:rear",
    ),
    ("node --topics W/cameras.yaml --rigs side", "cameras.yaml names its cameras already: front, rear"),
    (
        "label W/bag -o O/out --model M --topics W/cameras.yaml",
        "cameras.yaml: several cameras; name one: W/cameras.yaml:front",
    ),
    ("node --ros-args -p model:=W/nowhere.xml", "nowhere.xml"),
    # of kinds: a file with a wrong content
    (f"{LABEL} --preset W/text.txt", "text.txt"),
    (f"{LABEL} --calibration W/text.txt", "text.txt"),
    ("label W/images -o O/out --model W/text.xml", "text.xml"),
    ("label W/images -o O/out --model W/text.onnx", "text.onnx"),
    ("label W/images -o O/out --model W/text.safetensors", "text.safetensors: not a safetensors checkpoint"),
    ("label W/images -o O/out --model W/text.txt", "text.txt: a model is a .xml, .onnx or .safetensors file"),
    ("label W/images -o O/out --model W/alone.xml", "alone"),
    ("label W/broken -o O/out --model M", "a.png: truncated PNG"),
    ("label W/notabag -o O/out --model M", "notabag"),
    ("label W/halfabag -o O/out --model M", "halfabag"),
    ("label W/baddrive -o O/out --model M", "drive.json"),
    ("label W/bag -o O/out --model M --preset kitti2bag", "none of /kitti"),
    ("label W/bag -o O/out --model M --as rgb", "--as and --depth-unit are only for a folder of images"),
    ("label W/kitti -o O/out --model M", "image_02/timestamps.txt: no such file"),
    ("replay W/notabag", "notabag"),
    ("eval simulated W/baddrive", "drive.json"),
    ("explain W/broken/a.png --model M", "a.png: truncated PNG"),
    ("explain W/images/000.png --depth W/images/001.png --model M", "expected a 16-bit PNG"),
    ("explain W/images/000.png --points W/short.bin --calibration W/calib.txt --model M", "short.bin: 7 bytes"),
    ("explain W/images/000.png --points W/short.bin --model M", "--points needs --calibration"),
    # of units and sizes
    ("label W/depth -o O/out --model M", "may be millimetres (5.1 m) or metres × 256 (20.0 m): use --depth-unit"),
    ("label W/sweeps -o O/out --model M", "a sweep without calibration"),
    ("eval folder W/sizes", "as large as its image"),
    # of configs, weights and versions
    (TRAIN.replace("CONFIG", "nowhere.py"), "nowhere.py: no such config"),
    (TRAIN.replace("W/CONFIG", "dual_branch_x"), "did you mean"),
    (TRAIN.replace("CONFIG", "syntax.py"), "syntax.py: cannot be read"),
    (TRAIN.replace("CONFIG", "fusion.py"), "did you mean GatedAttentionFusion?"),
    (TRAIN.replace("CONFIG", "modality.py"), "aux_stem.modalities: depth 3, lidar 4; every network has"),
    (TRAIN.replace("W/CONFIG", "dual_branch_s") + " --init W/text.safetensors", "text.safetensors: not a safetensors"),
    (TRAIN.replace("W/CONFIG", "dual_branch_s") + " --resume", "last.pt"),
    (TRAIN.replace("W/CONFIG", "dual_branch_s").replace("camvid=W/camvid", "W/camvid"), "write NAME=ROOT"),
    (TRAIN.replace("W/CONFIG", "dual_branch_s").replace("camvid=W/camvid", "camvid=W/nowhere"), "nowhere"),
    ("export W/nowhere.safetensors", "nowhere.safetensors: no such weights file"),
    ("export W/text.safetensors -o O/new", "text.safetensors: not a safetensors checkpoint"),
    ("export dual_branch_s", "say -o FOLDER"),
    ("export dual_branch_t -o O/new", "dual_branch_t"),
    ("prune dual_branch_s W/text.safetensors --data camvid=W/camvid -o O/new", "text.safetensors"),
    ("pseudo-label camvid=W/nowhere --model W/text.safetensors -o O/new", "nowhere"),
    ("label W/images -o W/older --model M", "older: holds labels of another"),
    # of other people's folders, of disks and permissions
    ("label W/images -o W/parent --model M", "parent: not empty, and not made by `perception label`"),
    ("label W/images -o W/text.txt --model M", "text.txt"),
    ("label W/images -o /proc/nowhere --model M", "/proc/nowhere"),
    (f"{LABEL} --json /proc/nowhere/a.json", "/proc/nowhere"),
    ("simulate -o W/parent --frames 1 --scale 0.05", "holds images, which is not part of a drive"),
    ("simulate -o W/images --drives 2 --frames 1 --scale 0.05", "images: holds 000.png, which is no drive"),
    ("simulate -o /proc/nowhere --frames 1 --scale 0.05", "/proc/nowhere"),
    ("kitti2bag W/kitti -o O/bag", "timestamps.txt: no such file"),
    ("explain W/images/000.png --model M -o /proc/nowhere/a.png", "/proc/nowhere"),
    ("explain W/images/000.png --model M -o O/a.txt", "a.txt"),
    ("doctor --json /proc/nowhere/a.json", "/proc/nowhere"),
]
"""The command line, with W for the world, O for a folder of this test and M for the tiny network; expected output."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """Folders and files of every kind, most of them wrong in some way."""
    root = tmp_path_factory.mktemp("world")
    images = write_images(root / "images", 2)
    write_images(root / "parent/images", 1)
    (root / "empty").mkdir()
    for name in ("text.txt", "text.xml", "text.onnx", "text.safetensors", "text.rrd"):
        (root / name).write_text("nothing of the kind\n")
    (root / "short.bin").write_bytes(b"1234567")
    rows = "70 0 60 0 0 70 18 0 0 0 1 0", "1 0 0 0 1 0 0 0 1", "0 -1 0 0 0 0 -1 0 1 0 0 0"
    names = "P2", "R0_rect", "Tr_velo_to_cam"
    (root / "calib.txt").write_text("\n".join(f"{name}: {row}" for name, row in zip(names, rows, strict=True)))
    shutil.copy(tiny_model, root / "alone.xml")
    (root / "cameras.yaml").write_text("cameras: {front: {image: /front}, rear: {image: /rear}}\n")
    (root / "broken").mkdir()
    (root / "broken/a.png").write_bytes((images / "000.png").read_bytes()[:60])
    _bags(root)
    (root / "baddrive").mkdir()
    (root / "baddrive/drive.json").write_text('{"format": 99}')
    write_images(root / "kitti/image_02/data", 1)
    write_images(root / "depth/image", 1)
    (root / "depth/depth").mkdir()
    cv2.imwrite(str(root / "depth/depth/000.png"), np.full((64, 96), 5120, np.uint16))
    write_images(root / "sweeps/image", 1)
    (root / "sweeps/velodyne").mkdir()
    np.ones((5, 4), "<f4").tofile(root / "sweeps/velodyne/000.bin")
    write_images(root / "sizes/image", 1)
    (root / "sizes/labels").mkdir()
    cv2.imwrite(str(root / "sizes/labels/000.png"), np.zeros((3, 3), np.uint8))
    write_images(root / "camvid/train", 2)
    (root / "camvid/trainannot").mkdir()
    for number in range(2):
        cv2.imwrite(str(root / f"camvid/trainannot/{number:03d}.png"), np.full((64, 96), 3, np.uint8))
    config = config_path("networks/dual_branch_s.py").read_text("utf-8")
    (root / "syntax.py").write_text("model = dict(\n")
    (root / "fusion.py").write_text(config.replace("GatedAttentionFusion", "GatedAtentionFusion"))
    (root / "modality.py").write_text(config.replace("dict(depth=3, infrared=3, lidar=4)", "dict(depth=3, lidar=4)"))
    (root / "older").mkdir()
    (root / "older/label.json").write_text(json.dumps({"version": "0.0.1"}))
    return root


def _bags(root: Path) -> None:
    camera = CameraModel(np.array([[70.0, 0, 48], [0, 70, 32], [0, 0, 1]]), 96, 64, "camera")
    rng = np.random.default_rng(0)
    frames = [
        Frame(1_700_000_000_000_000_000 + 100_000_000 * i, rng.integers(0, 255, (64, 96, 3), np.uint8), camera=camera)
        for i in range(2)
    ]
    write_bag(frames, root / "bag")
    (root / "notabag").mkdir()
    (root / "notabag/metadata.yaml").write_text("rosbag2_bagfile_information: 3\n")
    (root / "halfabag").mkdir()
    whole = next((root / "bag").glob("*.mcap"))
    (root / "halfabag/halfabag.mcap").write_bytes(whole.read_bytes()[:100])


def play(line: str, world: Path, out: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and all that was printed. A defect, which is not the user's mistake, raises."""
    places = {"W": str(world), "O": str(out), "M": str(model)}
    words = [_placed(word, places) for word in shlex.split(line)]
    try:
        code = main(words)
    except SystemExit as leaving:  # of argparse
        code = int(leaving.code or 0)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def _placed(word: str, places: dict[str, str]) -> str:
    """The word with its letters replaced at the beginning of a path."""
    for letter, place in places.items():
        for before in ("", "=", ":="):
            start = word.rfind(f"{before}{letter}/") if before else (0 if word.startswith(f"{letter}/") else -1)
            if start >= 0:
                at = start + len(before)
                return word[:at] + place + word[at + 1 :]
    return places.get(word, word)


@pytest.mark.parametrize(("line", "said"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_told_in_words(
    line: str, said: str, world: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = MODULE.get(line.split()[0])
    if module and importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    code, printed = play(line, world, tmp_path, tiny_model, capsys)
    assert code != 0
    assert said.replace("W/", f"{world}/") in printed
    assert "Traceback" not in printed
    assert len(printed.splitlines()[-1]) < 1000
    left = [path for path in tmp_path.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert not left, "empty folders are left"


@pytest.fixture
def full_disk() -> Iterator[None]:
    """A system on which no file may be longer than 200 bytes, where writing fails as on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize(
    "line",
    [
        LABEL + " --write confidence colours",
        LABEL + " --json O/report.json",
        "simulate -o O/drive --frames 1 --scale 0.2 --workers 1",
        "explain W/images/000.png --model M -o O/a.png",
    ],
)
def test_a_full_disk_is_told(
    line: str, world: Path, tiny_model: Path, tmp_path: Path, full_disk: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = play(line, world, tmp_path, tiny_model, capsys)
    assert code != 0
    assert "Traceback" not in printed
    assert str(tmp_path) in printed
