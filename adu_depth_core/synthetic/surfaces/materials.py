"""Materials of surfaces: texture, reflectance, LiDAR intensity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adu_depth_core.synthetic.surfaces import lettering, textures
from adu_depth_core.synthetic.surfaces.atlas import Atlas
from adu_depth_core.synthetic.surfaces.textures import Painter


@dataclass(frozen=True)
class Material:
    """Surface properties shared by all faces of a material.

    :param painter: paints its texture
    :param reflectance: share of the sky and surroundings mirrored at right angles, where the texture is
        glossy all over (``glossy``) or as far as the texture's fourth channel says
    :param glossy: reflects regardless of the texture's fourth channel
    :param wrap: 0 hard Lambert shading; towards 1 light seeps round the edge, as through leaves
    :param laser: LiDAR intensity for a perpendicular hit of a white surface, 0..1
    """

    painter: Painter
    reflectance: float = 0.0
    glossy: bool = False
    wrap: float = 0.0
    laser: float = 0.5


_TABLE: dict[str, Material] = {
    "asphalt": Material(textures.asphalt, laser=0.35),
    "asphalt_old": Material(textures.asphalt, laser=0.4),
    "tar": Material(textures.asphalt, laser=0.2),
    "road_paint": Material(textures.worn_paint, laser=0.9),
    "paving": Material(textures.paving),
    "paving_bricks": Material(textures.paving_bricks),
    "cobbles": Material(textures.cobbles),
    "concrete": Material(textures.concrete),
    "grass": Material(textures.grass, wrap=0.3),
    "dry_grass": Material(textures.dry_grass, wrap=0.3),
    "soil": Material(textures.soil),
    "gravel": Material(textures.gravel),
    "plaster": Material(textures.plaster),
    "brick": Material(textures.brick),
    "stone": Material(textures.stone_wall),
    "roof": Material(textures.roof_tiles),
    "wood": Material(textures.wood),
    "leaves": Material(textures.leaves, wrap=0.4, laser=0.6),
    "autumn_leaves": Material(textures.autumn_leaves, wrap=0.4, laser=0.6),
    "needles": Material(textures.needles, wrap=0.3, laser=0.5),
    "bark": Material(textures.bark),
    "metal": Material(textures.flat, reflectance=0.06, glossy=True),
    "car_paint": Material(textures.flat, reflectance=0.07, glossy=True, laser=0.6),
    "car_glass": Material(textures.flat, reflectance=0.06, glossy=True, laser=0.15),
    "rubber": Material(textures.flat, laser=0.15),
    "grille": Material(textures.rails, reflectance=0.1, laser=0.4),
    "wheel": Material(textures.wheel, reflectance=0.3, laser=0.5),
    "number_plate": Material(lettering.number_plate, laser=1.0),
    "cloth": Material(textures.cloth),
    "matt": Material(textures.flat),
    "speed_limit": Material(lettering.speed_limit_sign, laser=1.0),
    "no_parking": Material(lettering.no_parking_sign, laser=1.0),
    "direction": Material(lettering.direction_sign, laser=1.0),
    "warning": Material(lettering.warning_sign, laser=1.0),
    "arrow": Material(lettering.arrow_sign, laser=1.0),
    **{f"window_{k}": Material(textures.window, reflectance=0.10, laser=0.2) for k in range(8)},
    **{f"shop_{k}": Material(lettering.shop_front, reflectance=0.08, laser=0.3) for k in range(8)},
    **{f"door_{k}": Material(textures.door, reflectance=0.1) for k in range(3)},
    **{f"poster_{k}": Material(lettering.poster, reflectance=0.04) for k in range(5)},
    "mottled": Material(textures.mottled),
}

NAMES = tuple(_TABLE)
MATERIALS = tuple(_TABLE.values())
INDEX = {name: index for index, name in enumerate(NAMES)}


def property_table(name: str) -> np.ndarray:
    """One property of every material, float32, to be indexed by ``Mesh.material``."""
    return np.array([getattr(material, name) for material in MATERIALS], np.float32)


@lru_cache(maxsize=1)
def shared_atlas() -> Atlas:
    """The textures of all materials, painted once for the process, which takes about two seconds."""
    return Atlas([material.painter(np.random.default_rng([7, k])) for k, material in enumerate(MATERIALS)])
