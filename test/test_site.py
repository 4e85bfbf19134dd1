"""The documentation builds as a site without warnings, with an API reference from the docstrings."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("mkdocs", "material", "mkdocstrings"):
    pytest.importorskip(package)

ROOT = Path(__file__).resolve().parent.parent
API = sorted((ROOT / "docs" / "api").glob("*.md"))


def build(root, out):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--config-file",
            root / "mkdocs.yml",
            "-d",
            out,
        ],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    result = build(ROOT, out)
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    return out


def text_of(page):
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_page_is_built_readme_first(site):
    pages = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    assert len(pages) > 15
    assert [page for page in pages if not (site / page).is_file()] == []
    assert "Monocular metric depth with per-pixel uncertainty" in text_of(site / "index.html")


@pytest.mark.parametrize("page", API, ids=lambda path: path.stem)
def test_the_reference_has_every_object_with_its_docstring(site, page):
    built = site / "api" / f"{page.stem}.html"
    names = re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = built.read_text(encoding="utf-8")
    assert names
    assert [name for name in names if f'id="{name}"' not in anchors] == []
    # A field list that the docstring parser does not understand is rendered verbatim.
    assert re.findall(r":(?:param|raises|return|ivar)\b[^\n]*", text_of(built)) == []


def test_the_predictor_is_described_with_types_units_and_errors(site):
    text = text_of(site / "api" / "inference.html")
    assert "Depth and uncertainty of an image" not in text  # of the module, not of the reference
    for part in ("A loaded model, for images of any camera and size", "UserError", "sigma", "metres"):
        assert part in text


@pytest.mark.parametrize(
    ("page", "text", "complaint"),
    [
        ("docs/bags.md", "[there](nowhere.md)", "nowhere.md"),
        ("docs/node.md", "[there](bags.md#no-such-heading)", "no-such-heading"),
        ("README.md", "[there](docs/nowhere.md)", "nowhere.md"),
        ("docs/api/data.md", "::: adu_depth_core.no_such_module", "no_such_module"),
    ],
)
def test_what_is_not_there_fails_the_build(tmp_path, page, text, complaint):
    for name in ("docs", "adu_depth_core", "models"):
        (tmp_path / name).mkdir()
    for path in [*(ROOT / "docs").rglob("*"), ROOT / "models" / "LICENSE.md"]:
        if path.is_file() and "__pycache__" not in path.parts:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    (tmp_path / "adu_depth_core").rmdir()
    (tmp_path / "adu_depth_core").symlink_to(ROOT / "adu_depth_core")
    for path in [path for path in ROOT.iterdir() if path.suffix in (".md", ".rst", ".cff", ".yml", "")]:
        if path.is_file():
            shutil.copyfile(path, tmp_path / path.name)
    with (tmp_path / page).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    result = build(tmp_path, tmp_path / "site")
    assert result.returncode != 0
    assert complaint in result.stderr
