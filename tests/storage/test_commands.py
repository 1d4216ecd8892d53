# SPDX-License-Identifier: Apache-2.0
"""Every path of every command may be a URL, or it is listed here why not; and commands do their work with them."""

from __future__ import annotations

import argparse
import json
import socket
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from helpers.images import write_images
from helpers.servers.s3 import Bucket, fetched, forget

from perception.bags.writer import write_bag
from perception.cli.label import input_or_list
from perception.cli.main import _run, command_names, main, make_parser
from perception.cli.shared import model, named_root
from perception.explanation.asked import Asked, open_frame
from perception.frame import CameraModel, Frame
from perception.recordings.kitti import kitti_frames
from perception.storage import Source, Target, source, target

TYPES = (source, target, model, input_or_list)
"""What makes a path of an argument's text."""

OPENED_AS_TEXT = {
    "--topics": "`read_topics`, wherever it is read: also in the node",
    "compare --data": "`named_root`",
    "compare --weights": "`model`, of what is behind NAME=",
    "explain frame": "`explanation.asked.open_frame`, which also takes URL:NUMBER",
    "export --data": "`named_root`",
    "export-check --data": "`named_root`",
    "pseudo-label data": "`named_root`",
    "prune --data": "`named_root`",
    "train --data": "`named_root`",
}
"""Arguments that stay a text at first, and what makes a path of it, of a URL too."""

CODE = "Python code: it runs only from a disk of this machine, where its owner put it"
NO_URL = {
    "train network": CODE,
    "prune network": CODE,
    "compare names": CODE,
    "--recipe": CODE,
    "compare --document": "a page of this repository, in which tables are filled in",
}
"""Paths that cannot be URLs, and why."""

NO_PATH = {
    *("--as", "--condition", "--import", "--split", "--storage", "--without", "--with", "--fail-on", "--expect"),
    *("--suite", "--only", "--remap", "--wait-for", "--stamps", "--rigs", "--precision", "--format", "--saliency"),
    *("--write", "--cloud", "--on", "--ray", "--street", "--rig", "--depth-camera", "--sequence", "eval dataset"),
}
"""Texts that name no file."""


def texts() -> dict[str, list[argparse.Action]]:
    """What is neither a number nor a switch, by command and name."""
    found: dict[str, list[argparse.Action]] = {}
    for command in command_names():
        for action in make_parser(command)._actions:
            number = callable(action.type) and action.type not in (str, Path, *TYPES)
            if action.nargs != 0 and action.help != argparse.SUPPRESS and not action.choices and not number:
                name = action.option_strings[-1] if action.option_strings else action.dest
                found.setdefault(f"{command} {name}", []).append(action)
    return found


def test_every_path_of_every_command_takes_a_url() -> None:
    taken, unknown = set(), []
    for name, actions in texts().items():
        option = name.split()[1]
        listed = [table for table in (OPENED_AS_TEXT, NO_URL, NO_PATH) if name in table or option in table]
        for action in actions:
            if action.type in TYPES:
                path = action.type("s3://bucket/some/name.xml")
                assert isinstance(path, Target if action.type is target else Source), name
                assert f"{path}" == "s3://bucket/some/name.xml"
                taken.add(name)
            elif len(listed) != 1:
                unknown.append(name)
    assert not unknown, "a path is read by `source` or written by `target`; others are listed above"
    assert {"label inputs", "label --output", "train --init", "export weights", "view --save", "eval root"} <= taken
    assert {"explain --points", "check input", "init bag", "kitti2bag drive", "replay path", "demo --kitti"} <= taken
    names = {*texts(), *(name.split()[1] for name in texts())}
    assert {*OPENED_AS_TEXT, *NO_URL} <= names, "listed for nothing"
    assert isinstance(named_root("camvid=s3://bucket/camvid")[1], Source)


def test_a_config_is_no_url() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="a config is code"):
        model("s3://bucket/config.py")


def frames(count: int = 3) -> list[Frame]:
    camera = CameraModel(np.array([[70.0, 0, 48], [0, 70, 32], [0, 0, 1]]), 96, 64, "camera")
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(count)]
    return [Frame(1_700_000_000_000_000_000 + 10**8 * i, image, camera=camera) for i, image in enumerate(images)]


@pytest.fixture
def bags(bucket: Bucket, tmp_path: Path) -> list[str]:
    """Two of them, in the bucket."""
    for name in ("one", "two"):
        write_bag(frames(), tmp_path / name)
    return [bucket.upload(tmp_path / name, f"fleet/{name}") for name in ("one", "two")]


def test_a_fleet_is_labelled_into_the_bucket(bucket: Bucket, bags: list[str], tiny_model: Path, tmp_path: Path) -> None:
    for path in tiny_model.parent.glob(f"{tiny_model.stem}.*"):
        bucket.upload(path, f"models/{path.name}")
    bucket.put("fleet/rig.yaml", b"image: /image\n")
    line = ["label", *bags, "-o", f"{bucket.url}/labels", "--write", "masks", "video", "--threads", "1"]
    line += ["--model", f"{bucket.url}/models/{tiny_model.name}", "--json", f"{bucket.url}/report.json"]
    assert main(line) == 0
    report = json.loads(bucket.get("report.json"))
    assert [(each["input"], each["output"], each["frames"]) for each in report["inputs"]] == [
        (bag, f"{bucket.url}/labels/{bag.rsplit('/', 1)[1]}", 3) for bag in bags
    ]
    assert f"topics from {bucket.url}/fleet/rig.yaml" in report["inputs"][0]["remarks"]
    names = {name for name in bucket.times() if name.startswith("labels/two/")}
    assert {"labels/two/label.json", "labels/two/overlay.mp4"} <= names
    assert sum(name.startswith("labels/two/labels/") for name in names) == 3
    labels = cv2.imdecode(np.frombuffer(bucket.get(f"labels/two/labels/{frames()[1].stamp_ns:019d}.png"), np.uint8), -1)
    assert labels.shape == (64, 96)
    assert str(tmp_path) not in json.dumps(report)

    written = bucket.times()
    assert main(line) == 0
    again = json.loads(bucket.get("report.json"))
    assert (again["labelled"], [each["kept"] for each in again["inputs"]]) == (0, [3, 3]), "gone on with"
    assert {name: at for name, at in bucket.times().items() if name.startswith("labels/")} == {
        name: at for name, at in written.items() if name.startswith("labels/")
    }


def test_a_bag_that_vanishes_is_one_failed_item(
    bucket: Bucket,
    bags: list[str],
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The second vanishes after it was listed, and before it is read."""
    from perception.labelling import run
    from perception.labelling.job import attempt

    def losing(job: object, console: object) -> object:
        path = getattr(job, "path")  # noqa: B009
        if path.name == "two":
            assert path.exists()
            bucket.remove("fleet/two/two.mcap")
        return attempt(job, console)

    monkeypatch.setattr(run, "attempt", losing)
    report = tmp_path / "report.json"
    line = ["label", bags[1], bags[0], "-o", f"{bucket.url}/labels", "--write", "masks", "--model", str(tiny_model)]
    assert main([*line, "--threads", "1", "--json", str(report)]) == 2
    refused, done = json.loads(report.read_text())["inputs"]
    assert refused["error"].startswith(f"{bags[1]}/two.mcap: no such object")
    assert (done["input"], done["labelled"]) == (bags[0], 3)
    names = [name for name in bucket.times() if name.startswith("labels/")]
    assert "labels/one/label.json" in names
    assert not [name for name in names if "two" in name]
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"perception: {bags[1]}")


def test_a_drive_becomes_a_bag_in_the_bucket_once(
    bucket: Bucket, kitti_drive: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = f"{bucket.upload(kitti_drive.parent, 'kitti/2011_09_26')}/{kitti_drive.name}"
    line = ["kitti2bag", url, "-o", f"{bucket.url}/bags/new", "--json", f"{bucket.url}/bags/new.json"]
    assert main(line) == 0
    assert sorted(bucket.times())[:3] == ["bags/new.json", "bags/new/metadata.yaml", "bags/new/new.mcap"]
    assert json.loads(bucket.get("bags/new.json"))["bag"] == f"{bucket.url}/bags/new"
    assert main(line) == 2
    assert f"{bucket.url}/bags/new: exists already; remove it" in capsys.readouterr().err
    assert main(["init", f"{bucket.url}/bags/new", "-o", f"{bucket.url}/bags/rig.yaml"]) == 0
    assert b"image: /kitti/camera_color_left" in bucket.get("bags/rig.yaml")
    assert f"perception label {bucket.url}/bags/new --topics {bucket.url}/bags/rig.yaml" in capsys.readouterr().out
    assert main(["check", f"{bucket.url}/bags/new", "--compare", "0", "--frames", "2", "-o", f"{bucket.url}/check",
                 "--topics", f"{bucket.url}/bags/rig.yaml", "--fail-on", "never"]) == 0  # fmt: skip
    assert json.loads(bucket.get("check/check.json"))["source"] == f"{bucket.url}/bags/new"


def test_explain_opens_the_frame_that_is_named(bucket: Bucket, kitti_drive: Path, tmp_path: Path) -> None:
    url = f"{bucket.upload(kitti_drive.parent, 'kitti/2011_09_26')}/{kitti_drive.name}"
    sample, _ = open_frame(Asked(frame=f"{url}:1"))
    np.testing.assert_array_equal(sample.frame.rgb, kitti_frames(kitti_drive)[1].rgb)
    assert "0000000003.bin" not in fetched(tmp_path)
    assert open_frame(Asked(frame=f"{url}/image_02/data/0000000002.png"))[0].frame.size == (124, 38)


def test_a_data_set_is_scored(bucket: Bucket, tiny_model: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "mine/image", 2)
    (tmp_path / "mine/labels").mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"mine/labels/{number:03d}.png"), np.full((64, 96), 1, np.uint8))
    url = bucket.upload(tmp_path / "mine", "data/mine")
    line = ["eval", "folder", url, "--model", str(tiny_model), "--threads", "1", "--json", f"{bucket.url}/eval.json"]
    assert main(line) == 0
    assert json.loads(bucket.get("eval.json"))["frames"] == 2


def test_mistakes_are_one_line(
    bucket: Bucket, bags: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, words in (
        (f"check {bucket.url}/fleet/tow --compare 0", f"{bucket.url}/fleet/tow: no such bag, drive or folder"),
        ("replay s3://no-such-bucket-here/bag", "s3://no-such-bucket-here: no such bucket; look at its name"),
        (f"init {bucket.url}/fleet", f"name one in it: {bucket.url}/fleet/one, {bucket.url}/fleet/two"),
        (f"label {bags[0]} --model {bucket.url}/nowhere.xml", f"looked for {bucket.url}/nowhere.xml"),
        (f"doctor --json s3://{bucket.name}", f"s3://{bucket.name}: a bucket; name a folder in it to write to"),
        (f"check {bags[0]} --topics {bucket.url}/rig.yaml --compare 0", f"{bucket.url}/rig.yaml: No such file"),
        (f"export {bucket.url}/first.safetensors", f"{bucket.url}/first.safetensors: in an object store, whose folder"),
        (
            "init s3://me:secret@no-such-bucket-here/a",
            "s3://***@no-such-bucket-here/a: takes no user and password; give",
        ),
    ):
        assert main(line.split()) == 2, line
        said = capsys.readouterr().err.strip().splitlines()[-1]
        assert words in said, line
        assert "secret" not in said
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        forget()
        assert main(["check", f"{bags[0]}/again", "--compare", "0"]) == 2
        assert "the store does not answer" in capsys.readouterr().err


def test_a_drive_has_the_frames_of_a_disk(bucket: Bucket, kitti_drive: Path) -> None:
    url = f"{bucket.upload(kitti_drive.parent, 'kitti/2011_09_26')}/{kitti_drive.name}"
    here, there = kitti_frames(kitti_drive), kitti_frames(source(url))
    assert (there.names, there.remarks) == (here.names, here.remarks)
    for mine, its in zip(here, there, strict=True):
        assert mine.modalities == its.modalities
        for name in ("rgb", "points"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(its, name))


@pytest.mark.parametrize("rank", ["0", "1"])
def test_of_processes_that_train_together_the_first_one_uploads(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, rank: str
) -> None:
    """As torchrun starts them: each has the whole command line, and the same folder on its machine."""
    monkeypatch.setenv("RANK", rank)
    output = target(f"{bucket.url}/run{rank}/weights.safetensors")

    def write(args: argparse.Namespace) -> int:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text("weights")
        return 0

    assert _run(SimpleNamespace(run=write), argparse.Namespace(output=output)) == 0
    assert (f"run{rank}/weights.safetensors" in bucket.times()) == (rank == "0")
