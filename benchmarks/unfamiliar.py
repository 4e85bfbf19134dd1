"""Novelty of images for a student: whole folders, and one of them with each simulated fault.

python benchmarks/unfamiliar.py DIR/kitti2015_more DIR/other_cameras/dev/ddad_dgp \
    --split config/splits/kitti2015_more_unseen.txt

Folders are in KITTI's object layout. The split applies to the first folder, whose images are also evaluated
with each fault. Novelty and the largest fault score come from the network's fingerprint; `warned` is the
share of images beyond the thresholds of the model's card.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from adu_depth_core.datasets.faults import FAULTS
from adu_depth_core.datasets.kitti_folder import KittiFolder
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.inference.backends.choice import BACKENDS, choose_backend
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.network_size import fit_network_size
from adu_depth_core.inference.novelty import is_unfamiliar
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import read_card

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument(
        "--split", default="all", help="of the first folder: a named split, or a list of frames (all)"
    )
    parser.add_argument(
        "--model", type=Path, default=default_model(), help="ONNX student (the installed one)"
    )
    arguments = parser.parse_args()
    first, *others = arguments.folders
    frames = open_benchmark("kitti_folder", first, arguments.split).samples
    look = _looker(arguments.model)
    print(f"{'images':32s} frames  novelty median (range)  largest fault score  warned")
    _tell(first.name, look(frames))
    for folder in others:
        _tell(folder.name, look(KittiFolder(folder)))
    for fault in FAULTS:
        _tell(f"{first.name}, {fault.__name__}", look(frames, fault))


def _looker(model: Path) -> Callable[..., list[tuple[float, float, bool]]]:
    """A model's novelty and largest fault score for samples, and its card's warning."""
    card = read_card(model)
    name, _ = choose_backend("auto", model)
    backends = {}

    def look(samples: Sequence[Sample], change: Change | None = None) -> list[tuple[float, float, bool]]:
        told, random = [], np.random.default_rng(0)
        for index in range(len(samples)):
            sample = samples[index]
            size = fit_network_size(sample.camera, card)
            if size not in backends:
                backends[size] = BACKENDS[name](model, size, None), Preprocessor(card, size)
            backend, preprocess = backends[size]
            image = sample.left if change is None else change(sample.left, random)
            fingerprint = backend.infer(*preprocess(image, Placement.fit(sample.camera, size))).fingerprint
            told.append(
                (float(fingerprint[0]), float(fingerprint[1:].max()), is_unfamiliar(fingerprint, card))
            )
        return told

    return look


def _tell(name: str, told: list[tuple[float, float, bool]]) -> None:
    novelty, fault, warned = np.array(told).T
    print(
        f"{name:32s} {len(told):6d}  {np.median(novelty):6.2f} ({novelty.min():.2f} to {novelty.max():.2f})"
        f"   {np.median(fault):6.1f} ({fault.min():.1f} to {fault.max():.1f})   {warned.mean():.0%}"
    )


if __name__ == "__main__":
    main()
