"""Refuse to evaluate a model on frames of a bag that it was trained on.

``adu_depth extract`` names frames after their bag, their number and their stamp, and training writes those
names into the model card (``training["data"][...]["scenes"]``, and ``training["calibration"]["scales"]``
for the frames that the uncertainty scale was fitted on). A bag's name can change, its stamps do not: a stamp
that is a date belongs to one drive only, wherever the bag went. Clocks of simulators begin at 0 in
every drive, so there the name counts too.

A bag of ``adu_depth make-bag`` notes the folder and the frames that it was made of, and those are looked for
in the card as ``adu_depth evaluate`` looks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from adu_depth_core.bags.provenance import SOURCE_FOLDER, SOURCE_FRAMES, bag_name
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.leakage import check_leakage
from adu_depth_core.model_card import ModelCard

DATED_NS = 1_000_000_000 * 10**9
"""Stamps from here on (September 2001) are dates, not the seconds of a simulation."""


class BagLeakage:
    """Watches the frames that are evaluated for those that made one model.

    :param label: name of the model in the report
    :param card: its card
    :param allow: count training frames instead of refusing them
    """

    def __init__(self, label: str, card: ModelCard, allow: bool = False) -> None:
        self._model = f"model {label}"
        self._card = card
        self._allow = allow
        self._of_folders: list[str] = []
        sources = card.training.get("data") or []
        self._silent = not sources
        self._unlisted = {
            source.get("name") for source in sources if not _Stamps(source.get("scenes", ())).known
        }
        self._trained = _Stamps(scene for source in sources for scene in source.get("scenes", ()))
        fitted = (card.training.get("calibration") or {}).get("scales", ())
        self._fitted = _Stamps(frame.rpartition("/")[2] for frame in fitted)  # without the data set's name
        self._frames = self._trained_frames = self._fitted_frames = 0
        self._doubted: set[str] = set()

    def open_bag(self, note: Mapping[str, str]) -> None:
        """Look at what the next bag says of its origin.

        :param note: by ``source_note``; of other bags it is empty
        :raises UserError: if the model was trained on its frames or their places, unless that is allowed
        """
        if SOURCE_FOLDER not in note:
            return
        name, _, split = note[SOURCE_FOLDER].partition("/")
        frames = note.get(SOURCE_FRAMES, "").split()
        leakage = check_leakage(self._card, name, split, frames, self._allow, kind="kitti_folder")
        if self._card.training.get("data"):  # else warned of below
            self._of_folders += [f"bag of {name}: {warning}" for warning in leakage.warnings]

    def see(self, bag: Path, stamp_ns: int) -> None:
        """Look at the next frame.

        :raises UserError: if the model was trained on it, unless that is allowed
        """
        name = bag_name(bag)
        self._frames += 1
        self._fitted_frames += self._fitted.have(name, stamp_ns)
        if name in self._unlisted:
            self._doubted.add(name)
        if not self._trained.have(name, stamp_ns):
            return
        self._trained_frames += 1
        if not self._allow:
            raise UserError(
                f"{self._model} was trained on frames of bag {name} (the one at {stamp_ns} ns is in its "
                "card): the result would say nothing about new drives; choose another bag, or pass "
                "--allow-training-frames to evaluate anyway"
            )

    def warnings(self) -> Iterator[str]:
        """Warnings for the report, one sentence each."""
        yield from self._of_folders
        if self._trained_frames:
            yield (
                f"{self._model} was trained on {self._trained_frames} of the {self._frames} frames: its "
                "figures here say nothing about new drives"
            )
        if self._fitted_frames:
            yield (
                f"the uncertainty scale of {self._model} was fitted on {self._fitted_frames} of the "
                f"{self._frames} frames: its coverage looks better here than on new drives"
            )
        if self._silent:
            yield f"the card of {self._model} does not say what it was trained on: it may be these frames"
        for name in sorted(self._doubted):
            yield (
                f"the card of {self._model} says it was trained on {name!r} but not on which frames of a "
                "bag: it may be these"
            )


class _Stamps:
    """Stamps of the scenes that ``frame_name`` named; others are of no bag."""

    def __init__(self, scenes: Iterable[str]) -> None:
        self._named: set[tuple[str, int]] = set()
        self._dated: set[int] = set()
        for scene in scenes:
            name, _, stamp = scene.rsplit("_", 2) if scene.count("_") >= 2 else ("", "", "")
            if stamp.isdecimal():
                self._named.add((name, int(stamp)))
                if int(stamp) >= DATED_NS:
                    self._dated.add(int(stamp))
        self.known = bool(self._named)

    def have(self, name: str, stamp_ns: int) -> bool:
        return stamp_ns in self._dated or (name, stamp_ns) in self._named
