"""Parts of a release are consistent: versions, citation, issue templates."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import adu_depth_core

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_all_files_name_one_version():
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    setup = re.search(r'version="([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    changes = re.search(r"^(\d+\.\d+\.\d+) \(", (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8"), re.M)
    versions = {
        "package.xml": package.findtext("version"),
        "setup.py": setup[1],
        "CITATION.cff": citation()["version"],
        "CHANGELOG.rst": changes[1],
    }
    assert versions == dict.fromkeys(versions, adu_depth_core.__version__)


def test_the_citation_has_what_the_format_asks_for():
    """Required by the Citation File Format 1.2.0, and of each reference."""
    content = citation()
    assert {"cff-version", "message", "title", "authors"} <= set(content)
    assert content["cff-version"] == "1.2.0"
    for entry in (content, *content["references"]):
        assert entry["type"] in ("software", "conference-paper")
        assert entry["title"]
        assert all("name" in author or "family-names" in author for author in entry["authors"])


@pytest.mark.parametrize("path", [p for p in TEMPLATES if p.name != "config.yml"], ids=lambda p: p.stem)
def test_issue_forms_are_as_github_reads_them(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    fields = form["body"]
    assert all(
        field["type"] in ("markdown", "textarea", "input", "dropdown", "checkboxes") for field in fields
    )
    assert all(field["attributes"]["label"] for field in fields if field["type"] != "markdown")
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "docs/releasing.md"])
def test_files_that_are_linked_exist(name):
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_programs_that_the_checklist_names_exist():
    text = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:benchmarks|test|models|\.ci)/[\w./]+)`", text)
    assert len(files) >= 5
    assert [name for name in files if not (ROOT / name).exists()] == []
