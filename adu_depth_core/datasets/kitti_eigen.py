"""KITTI's Eigen split, by the frame lists that the community ships; frames as ``kitti_raw`` reads them.

The lists themselves are read from the user's copy, in either format, told apart line by line:

- BTS, and after it AdaBins and NeWCRFs (cleinc/bts, train_test_inputs/eigen_{train,test}_files_with_gt.txt):
  ``2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png DRIVE/proj_depth/... 721.5377``;
  the second word is ``None`` for the 45 of 697 test frames that have no improved depth.
- monodepth2 (nianticlabs/monodepth2, splits/eigen_full/{train,val}_files.txt, splits/eigen/test_files.txt):
  ``2011_09_26/2011_09_26_drive_0022_sync 473 r``; the last word is the camera.

A line of the right camera names the same stereo pair as that of the left one, which is then read once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from adu_depth_core.datasets.folders import chosen, contents
from adu_depth_core.datasets.kitti_raw import KittiRaw
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.files import read_text

LISTS = {
    "training": ("eigen_train_files_with_gt.txt", "train_files.txt"),
    "test": ("eigen_test_files_with_gt.txt", "test_files.txt"),
}
"""Names under which each subset's list is looked for in ``root`` and ``root/splits``."""

BTS_LINE = re.compile(
    r"(?:.*/)?(?P<drive>\d{4}_\d\d_\d\d_drive_\d{4}_sync)/image_0[23]/data/(?P<frame>\d+)\.\w+"
)
MONODEPTH_LINE = re.compile(r"(?:.*/)?(?P<drive>\d{4}_\d\d_\d\d_drive_\d{4}_sync) +(?P<frame>\d+)(?: +[lr])?")


class KittiEigen:
    """Stereo pairs of the Eigen split; those without improved depth have none.

    :param root: folder of the recordings and the depth, see ``kitti_raw``
    :param scenes: names of frames such as ``2011_09_26_drive_0002_sync/0000000069``; None for all of the list
    :param subset: ``training`` or ``test``
    :param files: the list, or your own list in either format; None looks for ``LISTS`` in ``root``
    :raises UserError: if the list is missing or has another format, or a scene is not in it; and on access
        if a file of the frame cannot be read
    """

    def __init__(
        self,
        root: Path,
        scenes: Sequence[str] | None = None,
        subset: str = "training",
        files: Path | None = None,
    ) -> None:
        self.raw = KittiRaw(root)
        self.list = Path(files) if files else _find_list(self.raw.root, subset)
        self.scenes = chosen(scenes, read_list(self.list), self.list)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        return self.raw.read(self.scenes[index])

    def truth_path(self, scene: str) -> Path:
        """Path of a frame's improved depth, if the folder has one."""
        return self.raw.truth_path(scene)


def read_list(path: Path) -> list[str]:
    """Names of the frames of a list, each once, in the list's order.

    :raises UserError: if it cannot be read, or a line has neither format
    """
    lines = read_text(path).splitlines()
    scenes: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = BTS_LINE.match(line.strip()) or MONODEPTH_LINE.fullmatch(line.strip())
        if match is None:
            raise UserError(
                f"{path}:{number}: {line.strip()!r} is neither a line of a BTS list "
                "(DATE/DRIVE/image_02/data/FRAME.png DEPTH FOCAL) nor of a monodepth2 list "
                "(DATE/DRIVE FRAME l)"
            )
        scenes[f"{match['drive']}/{int(match['frame']):010d}"] = None
    return list(scenes)


def _find_list(root: Path, subset: str) -> Path:
    candidates = [folder / name for name in LISTS[subset] for folder in (root, root / "splits")]
    for path in candidates:
        if path.is_file():
            return path
    raise UserError(
        f"the list of Eigen {subset} frames is missing: expected {' or '.join(LISTS[subset])} in {root} or "
        f"{root / 'splits'} (from train_test_inputs/ of github.com/cleinc/bts, or splits/eigen_full/ and "
        f"splits/eigen/ of github.com/nianticlabs/monodepth2), or a list by its path; {root} {contents(root)}"
    )
