"""Effect of temporal stabilisation on flicker, as an image: docs/images/flicker.jpg.

python benchmarks/flicker_picture.py --seed 9100 --frame 20 --out docs/images/flicker.jpg

From top to bottom: a frame of a synthetic drive; change of each static point's log depth error since the
previous frame, single-frame and stabilised (black 0, yellow 0.15 and more; blue: not static, or no ground
truth).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from stabilisation import synthetic

from adu_depth_core.evaluation.temporal_metrics import follow
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.postprocess import enlarge
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.temporal.stabiliser import TemporalFusion

MOST = 0.15
"""Change of log depth shown in the brightest colour."""

WIDTH = 621


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=9100, help="synthetic drive (9100)")
    parser.add_argument("--frame", type=int, default=20, help="frame to show (20)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="JPEG to write")
    arguments = parser.parse_args()
    predictor = Predictor(threads=1)
    fusion = TemporalFusion(predictor.card.depth_max)
    errors: list[np.ndarray] = []
    truth_before = np.empty(0)
    for frame in synthetic(arguments.seed, arguments.frame + 1):
        before, truth_before_now = errors, truth_before
        image, motion = np.ascontiguousarray(frame.image), frame.before_from_now
        small = predictor.predict(image, frame.camera, output_size="network")
        fused = fusion.update(small, image, frame.stamp_ns, lambda a, b, motion=motion: motion).prediction
        truth_before = frame.truth
        with np.errstate(divide="ignore"):
            errors = [np.log(enlarge(p, frame.camera).depth / frame.truth) for p in (small, fused)]
    points = follow(truth_before_now, frame.truth, frame.camera, frame.before_from_now)
    rows = [frame.image[..., ::-1]]
    for now, earlier in zip(errors, before, strict=True):
        place, place_before = points.place[points.static], points.before[points.static]
        change = np.abs(np.take(now, place) - np.take(earlier, place_before))
        picture = np.full((*frame.camera.size, 3), (90, 50, 30), np.uint8)
        grey = np.minimum(255 * change / MOST, 255).astype(np.uint8)
        picture.reshape(-1, 3)[place] = cv2.applyColorMap(grey[:, None], cv2.COLORMAP_INFERNO)[:, 0]
        rows.append(picture)
        print(f"flicker of this frame: {change.mean():.4f}")
    stacked = np.vstack(rows)
    height = round(stacked.shape[0] * WIDTH / stacked.shape[1])
    stacked = cv2.resize(stacked, (WIDTH, height), interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", stacked, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    with write_atomically(arguments.out) as temporary:
        temporary.write_bytes(encoded.tobytes())


if __name__ == "__main__":
    main()
