"""Objects between kerb and lots: street trees, lamps, masts, signs, signals, bollards, shelters."""

from __future__ import annotations

import numpy as np

from adu_depth_core.synthetic.objects import furniture
from adu_depth_core.synthetic.street.site import Site
from adu_depth_core.synthetic.surfaces.materials import INDEX


def plant_trees(site: Site, side: int) -> None:
    """Perhaps a row of trees along the kerb."""
    rng, layout = site.rng, site.layout
    if rng.random() > site.style.street_trees:
        return
    verge = layout.verge[0 if side > 0 else 1]
    lateral = layout.edge(side) + (verge / 2 if verge else 0.7)
    for s in site.spots(rng.uniform(6, 16), jitter=0.5):
        if rng.random() < 0.85:
            site.tree(s, side * lateral, near=True)


def furnish(site: Site, side: int) -> None:
    """Lamps, masts and bollards in rows; signs and other things here and there."""
    rng, layout, line = site.rng, site.layout, site.line
    kerb, back = layout.edge(side) + 0.5, layout.back(side)
    to_road = 0.0 if side < 0 else np.pi
    if rng.random() < 0.75:
        lamp = furniture.street_lamp(rng.uniform(5, 9), rng.uniform(0.4, 2.2))
        for s in site.spots(rng.uniform(22, 38)):
            site.add(lamp, s, side * kerb, to_road)
    if rng.random() < 0.3:
        mast = furniture.mast(rng.uniform(7, 9), 0.13, INDEX["wood" if rng.random() < 0.5 else "concrete"])
        for s in site.spots(rng.uniform(25, 40)):
            site.add(mast, s, side * (back + 0.3))
    if rng.random() < 0.2:
        bollard = furniture.bollard(rng)
        for s in site.spots(rng.uniform(1.6, 3.0)):
            site.add(bollard, s, side * kerb)
    sign_turn = np.pi if side > 0 and rng.random() < 0.6 else 0.0
    scattered = (  # per metre, what, where, heading
        (0.030, furniture.traffic_sign, kerb, sign_turn),
        (0.012, furniture.bin_or_cabinet, back - 0.35, 0.0),
        (0.012, furniture.bollard, kerb - 0.15, 0.0),
        (0.004, furniture.bus_shelter, back + 0.1, to_road),
        (0.004, furniture.billboard, back + 1.8, 0.0),
        (0.006, furniture.bench, back + 0.4, to_road),
    )
    for per_metre, make, lateral, turn in scattered:
        for s in rng.uniform(line.start, line.end, rng.poisson(per_metre * (line.end - line.start))):
            if site.junction_within(s, s) is None:
                site.add(make(rng), s, side * lateral, turn + rng.normal(0, 0.06))


def place_signals(site: Site) -> None:
    """Traffic lights at some junctions."""
    rng, layout = site.rng, site.layout
    for start, end in site.junctions:
        if rng.random() < 0.35:
            arm = rng.uniform(2, 4) if rng.random() < 0.5 else 0.0
            site.add(furniture.traffic_light(rng, arm), start - 1.0, -layout.edge(-1) - 0.5)
            site.add(furniture.traffic_light(rng, 0.0), end + 1.0, layout.edge(1) + 0.5)
