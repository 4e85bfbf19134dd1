"""A whole street: which road, what stands along it, who moves on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic import furniture, vegetation
from adu_depth_core.synthetic.buildings import building
from adu_depth_core.synthetic.materials import INDEX
from adu_depth_core.synthetic.mesh import Mesh, merge
from adu_depth_core.synthetic.people import cyclist, person
from adu_depth_core.synthetic.road import Centreline, Layout, markings, surfaces
from adu_depth_core.synthetic.vehicles import random_vehicle

VIEW_AHEAD, VIEW_BEHIND = 240.0, 45.0
_REACH = 60.0  # private ground on either side of the centreline
_HEADROOM = 2.9  # nothing may hang lower than this over a lane


@dataclass(frozen=True)
class Style:
    """What a kind of street looks like. Pairs are ranges; the rest are probabilities or weights.

    :param lots: weights of what a lot holds: row house, detached house, wood, garden, hall, open
    """

    lanes: tuple[int, int]
    lane_width: tuple[float, float]
    parking: float
    verge: tuple[float, float]
    verge_share: float
    pavement: tuple[float, float]
    setback: tuple[float, float]
    storeys: tuple[int, int]
    shops: float
    lots: tuple[float, float, float, float, float, float]
    street_trees: float
    boundary: float
    people: float
    traffic: float


_LOTS = ("row", "house", "wood", "garden", "hall", "open")
STYLES = {
    "urban": Style((1, 1), (2.9, 3.5), 0.8, (1.0, 2.0), 0.25, (1.8, 4.5), (0.2, 1.5), (3, 5), 0.5, (10, 0, 0.3, 0.5, 0, 0.3), 0.45, 0.1, 1.0, 0.7),
    "suburban": Style((1, 1), (2.7, 3.3), 0.55, (0.8, 2.0), 0.35, (1.3, 2.2), (3.5, 9.0), (1, 3), 0.03, (0.5, 9, 0.6, 1.2, 0, 0.6), 0.35, 0.85, 0.4, 0.5),
    "avenue": Style((1, 2), (3.1, 3.6), 0.35, (2.0, 6.0), 0.8, (1.6, 3.0), (4.0, 16.0), (2, 5), 0.15, (3, 2, 3, 2, 0.4, 1.5), 0.85, 0.45, 0.6, 0.9),
    "park": Style((1, 2), (3.1, 3.7), 0.1, (1.5, 5.0), 0.7, (1.2, 2.5), (8.0, 20.0), (1, 2), 0.0, (0, 0.6, 7, 1.5, 0.2, 2.5), 0.6, 0.3, 0.2, 0.7),
    "works": Style((1, 2), (3.2, 3.7), 0.25, (1.0, 3.0), 0.5, (1.2, 2.0), (5.0, 15.0), (1, 3), 0.0, (0.5, 0.5, 1, 0.5, 6, 2), 0.25, 0.7, 0.2, 0.8),
}  # fmt: skip
_STYLE_SHARE = [0.28, 0.26, 0.22, 0.14, 0.10]


@dataclass(frozen=True)
class Mover:
    """Something that moves evenly beside the centreline.

    :param place: ``place(time) -> (s, lateral)`` in metres
    :param turn: its heading relative to the road's, radians
    """

    mesh: Mesh
    place: Callable[[float], tuple[float, float]]
    turn: float


class Street:
    """A street long enough for a drive.

    :param rng: decides everything
    :param travelled: ``travelled(time)`` metres of the vehicle along the centreline, for the traffic around it
    :param duration: seconds of the drive
    """

    def __init__(
        self, rng: np.random.Generator, travelled: Callable[[float], float], duration: float
    ) -> None:
        self._rng, self._travelled = rng, travelled
        self._end = travelled(duration)
        self.style = STYLES[str(rng.choice(list(STYLES), p=_STYLE_SHARE))]
        straight = rng.random() < 0.45
        self.line = Centreline(
            rng,
            -VIEW_BEHIND,
            self._end + VIEW_AHEAD + 30,
            bend=rng.uniform(0.0002, 0.001) if straight else rng.uniform(0.001, 0.005),
            hill=rng.uniform(0.0, 0.03),
        )
        self.layout = self._layout()
        self.junctions = self._junctions()
        self._autumn = rng.random() < 0.3
        self._static: list[tuple[float, Mesh]] = []
        self._movers: list[Mover] = []
        self._static += surfaces(rng, self.line, self.layout, self.junctions, _REACH)
        self._static += markings(rng, self.line, self.layout, self.junctions)
        self._grow_templates()
        for side in (1, -1):
            self._fill_lots(side)
            self._plant_street_trees(side)
            self._furnish(side)
            self._park_cars(side)
            self._people(side)
        self._backdrop()
        self._furnish_junctions()
        self._traffic()

    @property
    def ego_lane(self) -> float:
        """Lateral position of the middle of the vehicle's lane."""
        return -self.layout.half + self.layout.lane_width / 2

    def mesh_at(self, time: float) -> Mesh:
        """Everything around the vehicle ``time`` seconds after the start."""
        here = self._travelled(time)
        meshes = [
            m for s, m in self._static if not (s < here - VIEW_BEHIND - 30 or s > here + VIEW_AHEAD + 30)
        ]
        for mover in self._movers:
            s, lateral = mover.place(time)
            if here - VIEW_BEHIND < s < here + VIEW_AHEAD:
                meshes.append(
                    mover.mesh.placed(self.line.point(s, lateral), self.line.heading(s) + mover.turn)
                )
        return merge(meshes)

    def _layout(self) -> Layout:
        rng, style = self._rng, self.style
        paved = str(rng.choice(["paving", "paving_bricks", "concrete", "asphalt_old"]))
        walled = rng.random() > 0.15 or style is STYLES["urban"]
        pair = lambda share, span: tuple(
            rng.uniform(*span) if rng.random() < share else 0.0 for _ in range(2)
        )  # noqa: E731
        return Layout(
            lanes=int(rng.integers(style.lanes[0], style.lanes[1] + 1)),
            lane_width=rng.uniform(*style.lane_width),
            parking=pair(style.parking, (2.0, 2.4)),
            verge=pair(style.verge_share, style.verge),
            pavement=pair(0.95 if style is not STYLES["park"] else 0.5, style.pavement),
            kerb=rng.uniform(0.06, 0.15) if walled else 0.0,
            surface=str(rng.choice(["asphalt", "asphalt_old"])),
            pavement_surface=paved,
            ground=str(rng.choice(["grass", "grass", "dry_grass", "soil", "gravel"])),
            centre_line=str(
                rng.choice(["dashed", "dashed", "double", "short", "none"], p=[0.3, 0.25, 0.1, 0.1, 0.25])
            ),
            edge_line=bool(rng.random() < 0.35),
        )

    def _junctions(self) -> list[tuple[float, float]]:
        rng, found, s = self._rng, [], self._rng.uniform(-20, 90)
        while s < self.line.end - 20:
            width = rng.uniform(6, 12)
            found.append((float(s), float(s + width)))
            s += width + rng.uniform(45, 160)
        return found

    def _blocked(self, s0: float, s1: float, margin: float = 1.0) -> float | None:
        """End of the junction that the stretch runs into, or None."""
        for a, b in self.junctions:
            if s0 < b + margin and s1 > a - margin:
                return b + margin
        return None

    def _add(
        self,
        mesh: Mesh,
        s: float,
        lateral: float,
        turn: float = 0.0,
        scale: float = 1.0,
        above: float | None = None,
    ) -> None:
        if above is None:
            side = 1 if lateral > 0 else -1
            above = self.layout.kerb if abs(lateral) > self.layout.edge(side) else 0.0
        position = self.line.point(s, lateral, above)
        self._static.append((s, mesh.placed(position, self.line.heading(s) + turn, scale)))

    def _grow_templates(self) -> None:
        rng = self._rng
        grow = lambda near: (  # noqa: E731
            vegetation.conifer(rng, rng.uniform(8, 16), near)
            if rng.random() < 0.2
            else vegetation.broadleaf_tree(rng, rng.uniform(6, 14), self._autumn and rng.random() < 0.7, near)
        )
        self._near_trees = [grow(True) for _ in range(4)]
        self._far_trees = [grow(False) for _ in range(4)]
        self._bushes = [
            vegetation.bush(rng, rng.uniform(0.7, 2.2), self._autumn and rng.random() < 0.5) for _ in range(4)
        ]

    def _tree(self, s: float, lateral: float, near: bool) -> None:
        """Plant a tree, farther out if its lower branches would hang into the road."""
        rng = self._rng
        trees = self._near_trees if near else self._far_trees
        tree, scale = trees[rng.integers(len(trees))], rng.uniform(0.75, 1.25)
        corners = tree.corners.reshape(-1, 3) * scale
        low = corners[corners[:, 2] < _HEADROOM]
        side = 1 if lateral > 0 else -1
        clearance = self.layout.half + np.hypot(low[:, 0], low[:, 1]).max() + 0.4
        self._add(tree, s, side * max(abs(lateral), clearance), rng.uniform(0, 2 * np.pi), scale)

    def _fill_lots(self, side: int) -> None:
        rng, style = self._rng, self.style
        weights = np.array(style.lots) / sum(style.lots)
        back = self.layout.back(side)
        common_setback = rng.uniform(*style.setback)
        s = self.line.start
        while s < self.line.end - 60:
            kind = str(rng.choice(_LOTS, p=weights))
            width = {
                "row": rng.uniform(9, 20),
                "house": rng.uniform(11, 22),
                "hall": rng.uniform(25, 55),
            }.get(kind, rng.uniform(10, 30))
            after = self._blocked(s, s + width, 2.5)
            if after is not None:
                room = next(a for a, b in self.junctions if b + 2.5 == after) - 2.5 - s
                if room < 9:
                    s = after
                    continue
                width = room
            front = back + (common_setback if rng.random() < 0.7 else rng.uniform(*style.setback))
            getattr(self, f"_lot_{kind}")(side, s, width, front)
            if kind != "row" and rng.random() < style.boundary:
                self._boundary(side, s, s + width)
            s += width + (0.02 if kind == "row" else rng.uniform(0, 4))

    def _house(
        self, side: int, s: float, width: float, front: float, depth: float, storeys: int, shops: bool
    ) -> None:
        """Put a building with its front at ``front`` metres from the centreline, from s to s + width."""
        mesh = building(self._rng, width, depth, storeys, shops)
        middle = s + width / 2
        heading = self.line.heading(middle)
        yaw = heading if side > 0 else heading + np.pi
        along = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        corner = self.line.point(middle, side * front, self.layout.kerb) - along * width / 2
        self._static.append((middle, mesh.placed(corner, yaw)))

    def _lot_row(self, side: int, s: float, width: float, front: float) -> None:
        rng, style = self._rng, self.style
        self._house(
            side,
            s,
            width,
            front,
            rng.uniform(9, 13),
            int(rng.integers(style.storeys[0], style.storeys[1] + 1)),
            bool(rng.random() < style.shops),
        )

    def _lot_house(self, side: int, s: float, width: float, front: float) -> None:
        rng, style = self._rng, self.style
        house = width * rng.uniform(0.55, 0.85)
        start = s + rng.uniform(0, width - house)
        self._house(
            side,
            start,
            house,
            front,
            rng.uniform(8, 12),
            int(rng.integers(style.storeys[0], style.storeys[1] + 1)),
            bool(rng.random() < style.shops),
        )
        self._garden_plants(side, s, width, self.layout.back(side) + 0.8, front - 0.8, rng.integers(0, 4))

    def _lot_hall(self, side: int, s: float, width: float, front: float) -> None:
        self._house(side, s, width, front, self._rng.uniform(15, 25), int(self._rng.integers(1, 4)), False)

    def _lot_garden(self, side: int, s: float, width: float, front: float) -> None:
        del front
        back = self.layout.back(side)
        self._garden_plants(side, s, width, back + 0.8, back + 18, self._rng.integers(4, 9))

    def _lot_wood(self, side: int, s: float, width: float, front: float) -> None:
        del front
        rng, back = self._rng, self.layout.back(side)
        for _ in range(int(width / 2.2)):
            depth = rng.uniform(1.5, 22)
            self._tree(s + rng.uniform(0, width), side * (back + depth), near=bool(depth < 9))
        for _ in range(int(width / 2.5)):
            self._add(
                self._bushes[rng.integers(4)],
                s + rng.uniform(0, width),
                side * (back + rng.uniform(1.2, 7)),
                rng.uniform(0, 6),
                rng.uniform(0.7, 1.4),
            )

    def _lot_open(self, side: int, s: float, width: float, front: float) -> None:
        """Open ground, sometimes a car park."""
        rng, back = self._rng, self.layout.back(side)
        if rng.random() < 0.5:
            for k in np.arange(s + 2, s + width - 2, 2.7):
                if rng.random() < 0.75:
                    self._add(random_vehicle(rng)[0], k, side * (back + 5.0), rng.choice([1, -1]) * np.pi / 2)
        elif rng.random() < 0.4:
            self._add(furniture.billboard(rng), s + width / 2, side * (back + 2.5), rng.normal(0, 0.3))

    def _garden_plants(self, side: int, s: float, width: float, near: float, far: float, count: int) -> None:
        rng = self._rng
        for _ in range(count):
            at, lateral = s + rng.uniform(0, width), side * rng.uniform(near, max(far, near + 0.5))
            if rng.random() < 0.4:
                self._tree(at, lateral, near=True)
            else:
                self._add(
                    self._bushes[rng.integers(4)], at, lateral, rng.uniform(0, 6), rng.uniform(0.6, 1.2)
                )

    def _boundary(self, side: int, s0: float, s1: float) -> None:
        """Hedge, wall or fence between the pavement and a lot, with a gap for the gate."""
        rng = self._rng
        gate = rng.uniform(s0 + 1, s1 - 3)
        kind = rng.random()
        lateral = side * (self.layout.back(side) + 0.45)
        height = rng.uniform(0.8, 2.0)
        colour = np.array([(0.8, 0.8, 0.8), (0.05, 0.05, 0.05), (0.35, 0.2, 0.1), (0.1, 0.2, 0.12)])[
            rng.integers(4)
        ]
        material, tile = [("brick", 1.9), ("stone", 3.0), ("plaster", 4.0)][rng.integers(3)]
        for a, b in ((s0, gate), (gate + 2.2, s1)):
            if b - a < 1.5:
                continue
            path = self.line.path(a, b, lateral, step=1.0) + (0, 0, self.layout.kerb)
            if kind < 0.42:
                mesh = vegetation.hedge(rng, path, height, rng.uniform(0.6, 1.1))
            elif kind < 0.68:
                mesh = furniture.garden_wall(path, 0.7 * height, INDEX[material], colour * 0.5 + 0.4, tile)
            elif kind < 0.92:
                mesh = furniture.picket_fence(
                    path, 0.8 * height, INDEX["wood" if colour[0] > 0.3 else "metal"], colour
                )
            else:
                mesh = furniture.guard_rail(path)
            self._static.append(((a + b) / 2, mesh))

    def _plant_street_trees(self, side: int) -> None:
        rng = self._rng
        if rng.random() > self.style.street_trees:
            return
        spacing, layout = rng.uniform(6, 16), self.layout
        verge = layout.verge[0 if side > 0 else 1]
        lateral = layout.edge(side) + (verge / 2 if verge else 0.7)
        for s in np.arange(self.line.start, self.line.end, spacing):
            s = s + rng.normal(0, 0.5)
            if self._blocked(s, s, 2.0) is None and rng.random() < 0.85:
                self._tree(s, side * lateral, near=True)

    def _furnish(self, side: int) -> None:
        """Lamps, signs, bollards, bins, shelters along one side."""
        rng, layout = self._rng, self.layout
        kerb = layout.edge(side) + 0.5
        turn = 0.0 if side < 0 else np.pi
        if rng.random() < 0.75:
            lamp = furniture.street_lamp(rng.uniform(5, 9), rng.uniform(0.4, 2.2))
            for s in np.arange(self.line.start + rng.uniform(0, 20), self.line.end, rng.uniform(22, 38)):
                if self._blocked(s, s) is None:
                    self._add(lamp, s, side * kerb, turn)
        if rng.random() < 0.3:
            mast = furniture.pole(
                rng.uniform(7, 9), 0.13, INDEX["wood" if rng.random() < 0.5 else "concrete"]
            )
            for s in np.arange(self.line.start + rng.uniform(0, 20), self.line.end, rng.uniform(25, 40)):
                if self._blocked(s, s) is None:
                    self._add(mast, s, side * (layout.back(side) + 0.3))
        things = [
            (0.030, furniture.traffic_sign, kerb, np.pi if side > 0 and rng.random() < 0.6 else 0.0),
            (0.012, furniture.bin_, layout.back(side) - 0.35, 0.0),
            (0.012, furniture.bollard, kerb - 0.15, 0.0),
            (0.004, furniture.bus_shelter, layout.back(side) + 0.1, turn),
            (0.004, furniture.billboard, layout.back(side) + 1.8, 0.0),
            (0.006, furniture.bench, layout.back(side) + 0.4, turn),
        ]
        for per_metre, make, lateral, angle in things:
            for _ in range(rng.poisson(per_metre * (self.line.end - self.line.start))):
                s = rng.uniform(self.line.start, self.line.end)
                if self._blocked(s, s) is None:
                    self._add(make(rng), s, side * lateral, angle + rng.normal(0, 0.06))
        if rng.random() < 0.2:
            for s in np.arange(self.line.start, self.line.end, rng.uniform(1.6, 3.0)):
                if self._blocked(s, s) is None:
                    self._add(furniture.bollard(np.random.default_rng(0)), s, side * kerb)

    def _furnish_junctions(self) -> None:
        rng = self._rng
        for start, end in self.junctions:
            if rng.random() < 0.35:
                arm = rng.uniform(2, 4) if rng.random() < 0.5 else 0.0
                self._add(furniture.traffic_light(rng, arm), start - 1.0, -self.layout.edge(-1) - 0.5)
                self._add(furniture.traffic_light(rng, 0.0), end + 1.0, self.layout.edge(1) + 0.5)
            for side in (1, -1):
                for _ in range(rng.poisson(0.8)):
                    mesh, length = random_vehicle(rng)
                    lane = start + (end - start) * (0.27 if side > 0 else 0.73)
                    distance = self.layout.edge(side) + length / 2 + rng.uniform(1.0, 25)
                    if lane - 2 > start - 2:
                        self._add(mesh, lane, side * distance, -side * np.pi / 2, above=0.0)
                        break

    def _park_cars(self, side: int) -> None:
        rng, layout = self._rng, self.layout
        width = layout.parking[0 if side > 0 else 1]
        if not width:
            return
        occupied = rng.uniform(0.35, 0.95)
        s = self.line.start
        while s < self.line.end:
            mesh, length = random_vehicle(rng)
            after = self._blocked(s, s + length + 1, 4.0)
            if after is not None:
                s = after
                continue
            if rng.random() < occupied and length < 7:
                turn = 0.0 if (side < 0) ^ (rng.random() < 0.12) else np.pi
                self._add(
                    mesh,
                    s + length / 2,
                    side * (layout.half + width / 2 + rng.normal(0, 0.08)),
                    turn + rng.normal(0, 0.02),
                )
            s += length + rng.uniform(0.5, 2.0)

    def _people(self, side: int) -> None:
        rng, layout = self._rng, self.layout
        if not layout.pavement[0 if side > 0 else 1]:
            return
        for _ in range(rng.poisson(self.style.people * 0.05 * (self.line.end - self.line.start))):
            s = rng.uniform(self.line.start, self.line.end)
            lateral = side * rng.uniform(
                layout.back(side) - layout.pavement[0 if side > 0 else 1] + 0.4, layout.back(side) - 0.2
            )
            speed = rng.choice([0.0, 1.0, -1.0], p=[0.3, 0.35, 0.35]) * rng.uniform(0.9, 1.6)
            turn = (0.0 if speed > 0 else np.pi) if speed else rng.uniform(0, 2 * np.pi)
            mesh = person(rng).placed((0, 0, layout.kerb))
            self._movers.append(Mover(mesh, _even(s, lateral, speed), turn))

    def _backdrop(self) -> None:
        """What one sees through gaps and at the end of the road."""
        rng = self._rng
        for side in (1, -1):
            s = self.line.start
            while s < self.line.end:
                lateral = rng.uniform(34, 55)
                kind = rng.random()
                if kind < 0.3 and self._blocked(s - 10, s + 25) is None:
                    self._house(side, s, rng.uniform(10, 20), lateral, 10, int(rng.integers(2, 6)), False)
                elif kind < 0.85:
                    self._tree(s, side * lateral, near=False)
                s += rng.uniform(3, 16)
            path = self.line.path(
                self.line.start, self.line.end, side * rng.uniform(66, 85), step=rng.uniform(6, 10)
            )
            self._static += [(float("nan"), vegetation.tree_line(rng, path - (0, 0, 2), rng.uniform(8, 16)))]
        across = np.linspace(-110, 110, 30)
        far = self.line.point(np.full(30, self.line.end + 2), across) + rng.normal(0, 3, (30, 3)) * (1, 1, 0)
        self._static.append((float("nan"), vegetation.tree_line(rng, far, rng.uniform(8, 18))))

    def _traffic(self) -> None:
        rng, style, layout = self._rng, self.style, self.layout
        lanes = (np.arange(layout.lanes) + 0.5) * layout.lane_width
        for lane in lanes:
            speed, s = rng.uniform(6, 13), rng.uniform(8, 60)
            # Oncoming traffic: all vehicles of a lane at one speed, so that none runs into another.
            while rng.random() < style.traffic and s < self._end + speed * 1e3:
                mesh, length = random_vehicle(rng)
                self._movers.append(Mover(mesh, _even(s + length / 2, lane, -speed), np.pi))
                s += length + rng.uniform(8, 70)
            own = -lane
            gap, faster = rng.uniform(9, 45), rng.uniform(1.0, 1.08)
            while rng.random() < style.traffic * 0.75:
                mesh, length = random_vehicle(rng)
                place = lambda t, gap=gap + length / 2, own=own, faster=faster: (
                    faster * self._travelled(t) + gap,
                    own,
                )  # noqa: E731
                self._movers.append(Mover(mesh, place, 0.0))
                gap += length + rng.uniform(7, 40)
        if rng.random() < 0.25 * style.people + 0.05:
            s, speed = rng.uniform(10, 60), rng.uniform(3, 6)
            self._movers.append(Mover(cyclist(rng), _even(s, layout.half - 0.7, -speed), np.pi))


def _even(s: float, lateral: float, speed: float) -> Callable[[float], tuple[float, float]]:
    """Even motion along the road."""
    return lambda time: (s + speed * time, lateral)
