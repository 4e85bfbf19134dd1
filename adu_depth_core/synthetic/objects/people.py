"""People-sized figures, standing or walking. Object frame: origin between the feet, x forward."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, cylinder, ellipsoid, merge
from adu_depth_core.synthetic.surfaces.materials import INDEX


def person(rng: np.random.Generator) -> Mesh:
    """Adult or child in random clothes, caught in mid-stride."""
    height = rng.uniform(1.5, 1.9) if rng.random() < 0.88 else rng.uniform(1.1, 1.4)
    cloth, skin = INDEX["cloth"], INDEX["matt"]
    coat, trousers = (rng.uniform(0.01, 0.5, 3) * rng.choice([0.3, 1.0]) for _ in range(2))
    tone = np.array([0.62, 0.4, 0.3]) * rng.uniform(0.35, 1.0)
    hair = np.array([0.12, 0.07, 0.04]) * rng.uniform(0.1, 2.5)
    stride = rng.uniform(0.0, 0.3)
    hip, shoulder = 0.5, 0.82
    parts = [
        ellipsoid((0, 0, 0.66), (0.085, 0.125, 0.2), cloth, coat, 0.8),
        ellipsoid((0, 0, 0.5), (0.08, 0.105, 0.09), cloth, trousers, 0.8),
        ellipsoid((0.01, 0, 0.93), (0.055, 0.048, 0.068), skin, tone),
        ellipsoid((-0.008, 0, 0.945), (0.058, 0.053, 0.062), skin, hair),
        cylinder((0, 0, 0.82), (0, 0, 0.9), 0.032, skin, tone, sections=8),
    ]
    for side in (1, -1):
        foot = side * stride * 0.5
        knee = np.array([foot * 0.5 + 0.03, side * 0.055, 0.27])
        parts += [
            cylinder((0, side * 0.052, hip), knee, 0.052, cloth, trousers, 0.8, top_radius=0.04, sections=8),
            cylinder(
                knee, (foot, side * 0.055, 0.04), 0.04, cloth, trousers, 0.8, top_radius=0.03, sections=8
            ),
            boxes((foot + 0.03, side * 0.055, 0.022), (0.15, 0.055, 0.044), skin, (0.02, 0.02, 0.02)),
        ]
        hand = np.array([-foot * 0.8 + 0.05, side * 0.16, 0.46])
        elbow = np.array([-foot * 0.4 - 0.02, side * 0.155, 0.62])
        parts += [
            cylinder((0, side * 0.125, shoulder - 0.03), elbow, 0.036, cloth, coat, 0.8, sections=8),
            cylinder(elbow, hand, 0.032, cloth, coat, 0.8, top_radius=0.025, sections=8),
            ellipsoid(hand, (0.03, 0.02, 0.035), skin, tone, subdivisions=1),
        ]
    if rng.random() < 0.35:
        parts.append(
            boxes(
                (0.0, rng.choice([-0.19, 0.19]), 0.42), (0.18, 0.06, 0.16), cloth, rng.uniform(0.01, 0.4, 3)
            )
        )
    return merge(parts).placed((0, 0, 0), scale=height).labelled(PixelClass.PERSON)


def cyclist(rng: np.random.Generator) -> Mesh:
    """A person on a bicycle, riding along x."""
    metal, rubber = INDEX["metal"], INDEX["rubber"]
    frame = rng.uniform(0.02, 0.5, 3)
    parts = [person(rng).placed((-0.15, 0, 0.28))]
    for x in (-0.52, 0.52):
        ring = np.linspace(0, 2 * np.pi, 13)
        rim = np.stack([x + 0.33 * np.cos(ring), 0 * ring, 0.34 + 0.33 * np.sin(ring)], axis=1)
        parts += [cylinder(a, b, 0.022, rubber, (0.02, 0.02, 0.02), sections=5) for a, b in pairwise(rim)]
    crank, head = (-0.12, 0, 0.32), (0.38, 0, 0.8)
    bars = [
        ((-0.52, 0, 0.34), crank),
        (crank, (-0.2, 0, 0.9)),
        ((-0.18, 0, 0.75), head),
        (crank, (0.4, 0, 0.72)),
        ((0.52, 0, 0.34), (0.38, 0, 1.0)),
        ((0.38, -0.28, 1.02), (0.38, 0.28, 1.02)),
    ]
    parts += [cylinder(a, b, 0.02, metal, frame, sections=6) for a, b in bars]
    return merge(parts).labelled(PixelClass.PERSON)
