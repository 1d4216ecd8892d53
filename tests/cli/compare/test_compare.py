# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import write_small
from helpers.training.compared import as_json, write_data, write_networks

from perception.cli.main import main
from perception.comparing import timing


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A whole command line of two networks."""
    monkeypatch.setattr(timing, "ROUNDS", 2)
    monkeypatch.setattr(timing, "SIZE", (64, 96))
    lone, twin = write_networks(tmp_path)
    data = [word for item in write_data(tmp_path) for word in ("--data", item)]
    recipe = ["--recipe", str(write_small(tmp_path / "small.py")), "--workers", "0", "--threads", "1"]
    return ["compare", str(twin), str(lone), *data, *recipe, "-n", "2", "-o", str(tmp_path / "out")]


def test_from_nothing_to_the_document_and_on(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, document = tmp_path / "out", tmp_path / "zoo.md"
    document.write_text("Before.\n\n<!-- zoo:begin -->\n<!-- zoo:end -->\n\nAfter.\n")
    assert main([*line, "--train", "2it", "--document", str(document)]) == 0
    said = capsys.readouterr()
    assert "training 1 of 2: lone, 2it each" in said.err
    assert "training 2 of 2: twin, 2it each, about 0:00:" in said.err

    report = as_json(out / "compare.json")
    assert report["schema"] == "perception/compare-report/1"
    assert list(report["sets"]) == ["camvid", "kitti-frames", "roadscene"]
    assert report["sets"]["camvid"] == {"part": "val", "of": 2, "frames": 2, "real": True, "resolution": 1.0}
    lone, twin = report["networks"]["lone"], report["networks"]["twin"]
    assert (lone["sensors"], twin["sensors"]) == (["rgb"], ["rgb", "depth", "infrared", "lidar"])
    assert lone["training"]["iterations"] == twin["training"]["iterations"] == 2
    assert (lone["training"]["learning_rate"], twin["training"]["learning_rate"]) == (0.01, 0.002)
    assert lone["sets"]["roadscene"]["subsets"] == {}
    assert list(twin["sets"]["roadscene"]["subsets"]) == ["camera", "+infrared", "all"]
    assert list(twin["real"]["points"]) == ["+infrared", "all"]
    assert twin["simulated"] is None
    assert lone["flicker"]["name"] == "kitti-frames"
    assert 0 <= lone["flicker"]["share"] <= 1
    assert lone["timing"]["run"] == twin["timing"]["run"]
    assert lone["timing"]["ratio"] > 0
    assert len(lone["pictures"]) == 5  # all there are

    text = document.read_text("utf-8")
    assert text.startswith("Before.\n")
    assert text.endswith("<!-- zoo:end -->\n\nAfter.\n")
    assert "| 0.01, Adam | 2 | – |" in text
    for name in ("pareto.png", "networks.jpg", "compare.html"):
        assert (out / name).stat().st_size > 1000

    # Again: nothing is left to do, without the training data too.
    before = report["networks"]
    shutil.rmtree(tmp_path / "camvid/train")
    assert main([*line, "--train", "2it"]) == 0
    assert "twin: trained already, 2 iterations" in capsys.readouterr().err
    assert as_json(out / "compare.json")["networks"] == before

    # Weights that were trained elsewhere are a row of their own.
    elsewhere = ["--weights", f"far={out / 'lone/weights.safetensors'}"]
    assert main([*line, *elsewhere]) == 0
    rows = as_json(out / "compare.json")["networks"]
    assert rows["far"]["training"] is None
    assert rows["far"]["sets"] == rows["lone"]["sets"]
    assert rows["lone"]["sets"] == before["lone"]["sets"]
    assert len({row["timing"]["run"] for row in rows.values()}) == 1
    assert "far" not in as_json(out / "compare.json")["pareto_front"]
    capsys.readouterr()

    # A row outlives its weights, and is timed beside the others.
    (out / "lone/weights.safetensors").unlink()
    (out / "lone/network.xml").unlink()
    assert main([*line, "--train", "2it", *elsewhere[:1], f"far={out / 'twin/weights.safetensors'}"]) == 0
    assert "lone: trained and scored before; its weights are gone, its row stays" in capsys.readouterr().err
    again = as_json(out / "compare.json")["networks"]
    assert again["lone"]["sets"] == before["lone"]["sets"]
    assert len({row["timing"]["run"] for row in again.values()}) == 1
    assert again["lone"]["timing"]["run"] != rows["lone"]["timing"]["run"]

    # Another budget would not be alike; tables come from the JSON alone.
    assert main([*line, "--train", "3it"]) == 2
    assert "trained otherwise: budget was 2it, is 3it" in capsys.readouterr().err
    (out / "pareto.png").unlink()
    document.write_text("<!-- zoo:begin -->\n<!-- zoo:end -->\n")
    assert main(["compare", "--from", str(out / "compare.json"), "--document", str(document)]) == 0
    assert (out / "pareto.png").is_file()
    assert "`far`" in document.read_text("utf-8")


def test_at_a_part_of_the_resolution_all_is_so(line: list[str], tmp_path: Path) -> None:
    assert main([*line, "--train", "1it", "--resolution", "0.5"]) == 0
    report = as_json(tmp_path / "out" / "compare.json")
    assert report["image"] == [32, 64]  # of 64×96, in multiples of 32
    assert {each["resolution"] for each in report["sets"].values()} == {0.5}
    assert {each["training"]["resolution"] for each in report["networks"].values()} == {0.5}


MISTAKES = [
    ("compare --data camvid=D/camvid", "no network is named: say which"),
    ("compare unet", "no --data NAME=ROOT"),
    ("compare unett --data camvid=D/camvid", "did you mean 'unet'?"),
    ("compare unet --data camvid=D/camvid", "unet: not trained in O: add --train BUDGET, for example --train 25min"),
    ("compare unet --data camvid=D/camvid --train soon", "soon: not a budget; write for example 25min"),
    ("compare unet --data camvid=D/camvid --data camvid=D/camvid --train 1it", "--data camvid=…: given twice"),
    ("compare unet --data camvid=D/camvid --weights unet=F", "give weights that were trained elsewhere a name"),
    ("compare unet --data camvid=D/camvid --weights F", "--weights F: write NAME=FILE"),
    ("compare --data camvid=D/camvid --weights far=nonesuch", "nonesuch"),
    ("compare unet --data kitti-road=D/camvid --train 1it", "the recipe knows none of kitti-road"),
    ("compare unet --data camvid=D/nowhere --train 1it", "nowhere"),
    ("compare unet --data camvid=D/camvid --train 1it --recipe finetune", "begins with weights (dual_branch_s)"),
    ("compare unet --data camvid=D/camvid --train 1it --document D/none.md", "none.md"),
    ("compare unet --data camvid=D/camvid --train 1it --document D/lone.py", "no place for the tables"),
    ("compare unet --resolution 2 --data camvid=D/camvid", "2: expected a part of the resolution, 0.25 to 1"),
    ("compare unet --from D/compare.json", "leave out networks"),
    ("compare --from D/compare.json", "compare.json: no such file"),
    ("compare --from D/lone.py", "lone.py: not a report of `perception compare`"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_told_in_words(words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_data(tmp_path)
    write_networks(tmp_path)
    output = tmp_path / "out"
    places = words.replace("D/", f"{tmp_path}/").split()
    given = [] if "--from" in words else ["-o", str(output)]
    try:
        code = main([*places, *given])
    except SystemExit as leaving:  # of argparse
        code = int(leaving.code or 0)
    assert code == 2
    assert said.replace(" O:", f" {output}:") in capsys.readouterr().err
    assert not output.exists()
