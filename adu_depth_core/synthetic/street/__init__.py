"""A whole street: the road, what stands along it, and who moves on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from adu_depth_core.synthetic.geometry.centreline import Centreline
from adu_depth_core.synthetic.geometry.mesh import Mesh, merge
from adu_depth_core.synthetic.street import lots, roadside, traffic
from adu_depth_core.synthetic.street.markings import Markings
from adu_depth_core.synthetic.street.road import Surfaces
from adu_depth_core.synthetic.street.site import STYLE_SHARE, Site, Style, random_layout

_AHEAD, _BEHIND = 200.0, 40.0  # metres around a vehicle whose camera looks ahead that are shown
_LARGEST = 30.0  # half the length of the longest piece of a street
_REACH = 60.0  # metres of flat ground on either side of the centreline


class Street:
    """A street long enough for a drive.

    :param rng: source of all randomness
    :param travelled: metres of the ego vehicle along the road after a time in seconds
    :param duration: seconds of the drive
    :param behind: visible metres of road behind the starting point
    :param styles: styles to choose from, with their probabilities
    """

    def __init__(
        self,
        rng: np.random.Generator,
        travelled: Callable[[float], float],
        duration: float,
        behind: float = _BEHIND,
        styles: Sequence[tuple[Style, float]] = STYLE_SHARE,
    ) -> None:
        self._travelled = travelled
        style = styles[rng.choice(len(styles), p=[share for _, share in styles])][0]
        straight = rng.random() < 0.45
        self.line = Centreline(
            rng,
            start=-behind,
            end=travelled(duration) + _AHEAD + _LARGEST,
            bend=rng.uniform(0.0002, 0.001) if straight else rng.uniform(0.001, 0.005),
            hill=rng.uniform(0.0, 0.03),
        )
        layout = random_layout(rng, style)
        self.ego_lane = -layout.half + layout.lane_width / 2
        junctions = _junctions(rng, self.line)
        site = Site(rng, style, layout, self.line, junctions, autumn=bool(rng.random() < 0.3))
        site.standing += Surfaces(rng, self.line, layout, junctions, _REACH).pieces()
        site.standing += Markings(rng, self.line, layout, junctions).pieces()
        self._movers: list[traffic.Mover] = []
        for side in (1, -1):
            lots.fill(site, side)
            roadside.plant_trees(site, side)
            roadside.furnish(site, side)
            traffic.park(site, side)
            self._movers += traffic.walkers(site, side)
        roadside.place_signals(site)
        traffic.wait_at_junctions(site)
        lots.backdrop(site, both_ends=behind > _BEHIND)
        self._movers += traffic.vehicles(site, travelled)
        self.site = site

    def mesh_at(self, time: float, behind: float = _BEHIND, ahead: float = _AHEAD) -> Mesh:
        """Everything around the vehicle ``time`` seconds after the start, so many metres behind and ahead."""
        here = self._travelled(time)
        first, last = here - behind, here + ahead
        # Comparisons with NaN are false: what is visible from everywhere is kept.
        meshes = [m for s, m in self.site.standing if not (s < first - _LARGEST or s > last + _LARGEST)]
        for mover in self._movers:
            s = mover.place(time)
            if first < s < last:
                position = self.line.point(s, mover.lateral)
                meshes.append(mover.mesh.placed(position, self.line.heading(s) + mover.turn))
        return merge(meshes)


def _junctions(rng: np.random.Generator, line: Centreline) -> list[tuple[float, float]]:
    found, s = [], rng.uniform(-20, 90)
    while s < line.end - 20:
        width = rng.uniform(6, 12)
        found.append((float(s), float(s + width)))
        s += width + rng.uniform(45, 160)
    return found
