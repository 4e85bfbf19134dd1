"""Models of the checkout: small enough for the repository, complete, with one licence everywhere."""

import re
from pathlib import Path

import pytest

from adu_depth_core.model_card import ModelCard, read_card

FOLDER = Path(__file__).resolve().parent.parent / "models"
CARDS = {path.stem: ModelCard.from_json(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
LICENCES = (FOLDER / "LICENSE.md").read_text(encoding="utf-8")


def rows(columns):
    """Rows of the table in LICENSE.md with a given number of columns."""
    lines = (line.strip("|").split("|") for line in LICENCES.splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in line] for line in lines if len(line) == columns]


def images(card):
    """Licence of each image data set that a network or its teacher was trained on."""
    entries = [*card.training["data"], *card.training.get("teacher", {}).get("data", [])]
    found = (re.fullmatch(r"(CC BY[\w .-]*) \(([\w-]+).*\)", entry["licence"]) for entry in entries)
    return {match[2]: match[1] for match in found if match}


def test_files_are_small_enough_to_be_committed():
    """At most 20 MB each: git keeps every version."""
    too_large = {path.name for path in FOLDER.iterdir() if path.stat().st_size > 20e6}
    assert too_large == set()


def test_there_are_students_and_every_file_is_one_that_its_card_names():
    assert {"adu_student", "adu_teacher"} <= set(CARDS)
    named = {name for card in CARDS.values() for name in card.files}
    assert {path.name for path in FOLDER.iterdir()} == named | {f"{n}.json" for n in CARDS} | {"LICENSE.md"}
    for name in named:
        read_card(FOLDER / name)  # compares the checksum


@pytest.mark.parametrize("name", CARDS)
def test_a_card_has_the_name_of_its_files(name):
    assert CARDS[name].name == name
    assert {Path(file).stem for file in CARDS[name].files} == {name}


@pytest.mark.parametrize("name", CARDS)
def test_the_licence_page_says_what_the_card_says(name):
    (row,) = (row for row in rows(5) if row[0] == f"`{name}.*`")
    _, _, commercial, data, licence = row
    assert commercial == {True: "yes", False: "no"}[CARDS[name].commercial_use]
    assert set(data.split(", ")) == set(images(CARDS[name]))
    if CARDS[name].commercial_use:
        assert not any("NC" in terms for terms in images(CARDS[name]).values())
        assert CARDS[name].licence.startswith(licence.split(",")[0])


@pytest.mark.parametrize("name", CARDS)
def test_the_licence_of_each_data_set_is_on_the_page(name):
    data = {re.match(r"\[([\w-]+)\]", row[0])[1]: row[1] for row in rows(2) if row[0].startswith("[")}
    for dataset, licence in images(CARDS[name]).items():
        assert licence in data[dataset]


@pytest.mark.parametrize("name", [n for n, card in CARDS.items() if card.role == "student"])
def test_a_student_knows_its_cameras_and_what_is_typical_of_it(name):
    card = CARDS[name]
    assert card.novelty
    assert card.typical
    assert card.cameras
    assert "kitti2015_more" in {entry["data"] for entry in card.accuracy}  # common evaluation sets
