"""Time of preprocessing and postprocessing relative to the network, in one run.

    python benchmarks/predictor_overhead.py [--model FILE] [--width 1242 --height 375] [--threads 2]

Times each stage of ``Predictor.predict`` on the same frames, sequentially as in a node, and prints medians.
Target for 375x1242 in and out: both together under 25 % of OpenVINO's inference.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.machine import cpu_model

STAGES = ("preprocess", "inference", "postprocess")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="ONNX student (default: the installed one)")
    parser.add_argument("--backend", default="openvino", choices=BACKENDS)
    parser.add_argument("--width", type=int, default=1242)
    parser.add_argument("--height", type=int, default=375)
    parser.add_argument("--threads", type=int, help="CPU threads of the runtime (default: its choice)")
    parser.add_argument("--frames", type=int, default=200)
    arguments = parser.parse_args()

    predictor = Predictor(arguments.model, arguments.backend, threads=arguments.threads)
    preprocess = Preprocessor(predictor.card, predictor.network_size)
    width, height = arguments.width, arguments.height
    camera = Camera(0.58 * width, 0.58 * width, width / 2, height / 2, width, height)
    noise = np.random.default_rng(0).integers(0, 256, (8, height // 8, width // 8, 3), np.uint8)
    images = [cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in noise]

    times = np.array(
        [one_frame(predictor, preprocess, images[i % 8], camera) for i in range(arguments.frames + 20)]
    )
    medians = 1e3 * np.median(times[20:], axis=0)
    rows, columns = predictor.network_size
    print(f"{height}x{width} images, network {rows}x{columns}, {predictor.backend.runtime}, {cpu_model()}")
    for stage, median in zip(STAGES, medians, strict=True):
        print(f"{stage:<12}{median:8.2f} ms")
    share = (medians[0] + medians[2]) / medians[1]
    print(f"preprocess + postprocess = {100 * share:.1f} % of inference (aim: under 25 %)")


def one_frame(
    predictor: Predictor, preprocess: Preprocessor, image: np.ndarray, camera: Camera
) -> tuple[float, float, float]:
    """Seconds per stage."""
    started = time.perf_counter()
    placement = Placement.fit(camera, predictor.network_size)
    seen = preprocess(image, placement)
    prepared = time.perf_counter()
    output = predictor.backend.infer(*seen)
    inferred = time.perf_counter()
    postprocess(output, placement, predictor.card)
    return prepared - started, inferred - prepared, time.perf_counter() - inferred


if __name__ == "__main__":
    main()
