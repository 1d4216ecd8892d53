# SPDX-License-Identifier: Apache-2.0
"""A network with a part of the user's own, from its config to its weights in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import write_small
from mmengine.config import Config

from perception.cli.main import main
from perception.engines.weights import build_model, save_weights
from perception.errors import ModelError
from perception.models.custom import read_config
from perception.paths import config_path

HALF = """
from mmseg.registry import MODELS
from perception.models.fusion import Fusion, equal_shares


@MODELS.register_module()
class {name}(Fusion):
    def fuse(self, rgb, aux, present, lean):
        return (rgb + aux) / 2, equal_shares(present)
"""


def write_config(folder: Path, module: str, fusion: str) -> Path:
    """A network, its module and a recipe of small crops in `folder`."""
    folder.mkdir()
    (folder / f"{module}.py").write_text(HALF.format(name=fusion))
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    config.model.backbone.rgb.hidden = ((16,), (16,), (16,), (16,))
    config.model.backbone.fusion = dict(type=fusion)
    config.custom_imports = dict(imports=[module], allow_failed_imports=False)
    config.dump(folder / "mine.py")
    write_small(folder / "recipe.py")
    return folder / "mine.py"


def elsewhere(code: str) -> subprocess.CompletedProcess[str]:
    """Run it in another process, which has not imported the module."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_the_weights_know_where_its_modules_are(camvid: Path, tmp_path: Path) -> None:
    config, run = write_config(tmp_path / "mine", "half_one", "HalfOne"), tmp_path / "run"
    arguments = [
        "--recipe",
        str(config.with_name("recipe.py")),
        "--data",
        f"camvid={camvid}",
        "--iterations",
        "1",
        "--workers",
        "0",
        "-o",
        str(run),
    ]
    assert main(["train", str(config), *arguments]) == 0
    build = (
        "from perception.engines.weights import build_model\n"
        f"print(type(build_model({str(run / 'weights.safetensors')!r}).backbone.fusions[0]).__name__)"
    )
    done = elsewhere(build)
    assert done.stdout == "HalfOne\n", done.stderr
    (tmp_path / "mine").rename(tmp_path / "moved")
    said = elsewhere(build).stderr.splitlines()[-1]
    assert said.startswith(
        f"perception.errors.ModelError: {run / 'weights.safetensors'}: its network needs the module "
    )
    assert "'half_one' (custom_imports)" in said
    assert f"it was looked for in {tmp_path / 'mine'} and on PYTHONPATH: put it there" in said


def test_a_pruned_config_finds_them_too(camvid: Path, tmp_path: Path) -> None:
    path, data = write_config(tmp_path / "mine", "half_two", "HalfTwo"), f"camvid={camvid}"
    config = read_config(path)
    from mmseg.registry import MODELS

    weights = tmp_path / "weights.safetensors"
    model = config.model.to_dict()
    save_weights(weights, MODELS.build(model).state_dict(), config.model.to_dict(), config.custom_imports)
    pruned = tmp_path / "pruned"
    small = ["--recipe", str(path.with_name("recipe.py"))]
    assert main(["prune", str(path), str(weights), *small, "--data", data, "--batches", "1", "-o", str(pruned)]) == 0
    done = elsewhere(
        "from pathlib import Path\nfrom perception.training.train import read_network\n"
        f"print(read_network(Path({str(pruned / 'config.py')!r})).custom_imports.folder)\n"
        "from perception.engines.weights import build_model\n"
        f"print(type(build_model({str(pruned / 'weights.safetensors')!r}).backbone.fusions[0]).__name__)"
    )
    assert done.stdout.splitlines() == [str(tmp_path / "mine"), "HalfTwo"], done.stderr


def test_mistakes_say_what_and_how_to_mend_it(tmp_path: Path) -> None:
    path = write_config(tmp_path / "mine", "half_three", "HalfThree")
    good = path.read_text()
    for text, said in (
        (good.replace("'half_three'", "'half_thre'"), "needs the module 'half_thre' .*looked for in .*mine and on"),
        (good.replace("custom_imports", "other"), "HalfThree is not in the .* custom_imports names your own modules"),
        (good.replace("'HalfThree'", "'SEFusio'"), "SEFusio is not in the .*did you mean SEFusion?"),
        (
            good.replace("depth=3,", ""),
            "aux_stem.modalities: infrared 3, lidar 4; every network has the channels depth 3, infrared 3,",
        ),
    ):
        assert text != good
        path.write_text(text)
        with pytest.raises(ModelError, match=said):
            build(path)
    (tmp_path / "mine/json.py").write_text("")
    path.write_text(good.replace("'half_three'", "'json'"))
    with pytest.raises(ModelError, match=r"'json' .* is .*mine/json\.py, but .*json/__init__\.py of the same name"):
        read_config(path)


def build(path: Path) -> None:
    from perception.benchmark.peers import write_untrained

    write_untrained(read_config(path).model.to_dict(), path.with_suffix(".safetensors"))
    build_model(path.with_suffix(".safetensors"))
