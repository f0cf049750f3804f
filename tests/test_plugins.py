"""Does a name find its file, and a wrong name its remedy?"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from soak import plugins
from soak.plugins import NoParams, PluginError
from tests.toy_target import Params


def test_name_is_the_file() -> None:
    assert "soak.targets.null" == plugins.load("targets", "null").__name__


@pytest.mark.parametrize("seam", plugins.SEAMS)
def test_every_shipped_plug_in_loads_and_says_in_a_line_what_it_is(seam: str) -> None:
    lines = [plugins.summary(seam, name) for name in plugins.shipped(seam)]

    assert [] != lines
    assert "" not in lines


@pytest.mark.parametrize("seam", plugins.SEAMS)
def test_every_shipped_plug_in_keeps_its_parameters_strict(seam: str) -> None:
    models = [plugins.params_model(seam, name) for name in plugins.shipped(seam)]

    assert [] == [m.__module__ for m in models if m.model_config.get("extra") != "forbid"]
    assert [] == [m.__module__ for m in models if not m.model_config.get("frozen")]
    assert [] == [m.__module__ for m in models if not m.model_config.get("strict")]


def test_typing_error_lists_what_there_is_and_the_nearest() -> None:
    with pytest.raises(PluginError, match=r"no 'nul' among targets; there are: .*mean null\?"):
        plugins.load("targets", "nul")


def test_dotted_name_is_a_module_from_outside() -> None:
    assert Params(capacity=5) == plugins.params_of("targets", "tests.toy_target", {"capacity": 5})


@pytest.mark.parametrize("name", ["", "../x", ".x", "a..b", "a b.c", "a/b", "__init__", "é.x"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match="among targets"):
        plugins.load("targets", name)


def test_dotted_name_of_nothing_says_what_failed() -> None:
    with pytest.raises(PluginError, match=r"nowhere\.target .* No module named 'nowhere'"):
        plugins.load("targets", "nowhere.target")


def test_module_of_another_kind_is_refused() -> None:
    with pytest.raises(PluginError, match="is not one of targets: it has no build"):
        plugins.load("targets", "os.path")


def test_plug_in_without_params_takes_none() -> None:
    assert NoParams() == plugins.params_of("targets", "null", {})
    with pytest.raises(ValidationError):
        plugins.params_of("targets", "null", {"x": 1})


def test_entry_point_of_an_installed_package_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "toys-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[soak.targets]\ntoy = tests.toy_target\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert "toy" in plugins.available("targets")
    assert "toy" not in plugins.shipped("targets")
    assert Params is plugins.params_model("targets", "toy")


def test_a_dotted_name_is_found_where_the_user_stands(tmp_path: Path) -> None:
    package = tmp_path / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text('"""A package of the user\'s."""\n')
    shutil.copy(Path(__file__).with_name("scripted_target.py"), package / "own_target.py")
    scenario = tmp_path / "mine.yaml"
    scenario.write_text(
        "target: own_package.own_target\nlisten: null\n"
        "phases: [{name: only, duration: 1s, mix: {store: 1, get: 1}}]\n"
    )
    soak = Path(sys.executable).with_name("soak")  # unlike `python -m`, without "" on its path

    done = subprocess.run(
        [soak, "run", scenario, "--plain", "--out", tmp_path / "runs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "on own_package.own_target" in done.stderr
    assert "report.html" in done.stdout, done.stderr
