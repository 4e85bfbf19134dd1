"""Scripts in ``benchmarks/`` can import their modules, and their recipes are valid."""

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.mark.parametrize("script", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_finds_its_imports(script):
    try:
        runpy.run_path(str(script), run_name="imported")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("adu_depth"):
            raise
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize("recipe", ["ablation.yaml", "camera_ablation.yaml"])
def test_the_recipe_of_an_ablation_is_valid(recipe, tmp_path):
    pytest.importorskip("torch")
    from adu_depth_core.training.config import load_config

    options = [f"root={tmp_path}", f"synthetic={tmp_path}", f"out={tmp_path}"]
    assert load_config(str(BENCHMARKS / recipe), options).validation.split == "validation"
