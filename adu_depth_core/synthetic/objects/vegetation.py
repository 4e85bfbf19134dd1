"""Trees, bushes, hedges and far tree lines."""

from __future__ import annotations

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh, cylinder, loft, merge, surface, unit_ball
from adu_depth_core.synthetic.objects.barriers import leftward
from adu_depth_core.synthetic.surfaces.materials import INDEX

_BARK = INDEX["bark"]


def _blob(
    rng: np.random.Generator, centre: np.ndarray, radii: np.ndarray, material: int, tint: np.ndarray
) -> Mesh:
    """Lumpy ellipsoid, darker towards its underside where less sky reaches, unevenly lit as leaves are."""
    directions, faces = unit_ball(1)
    vertices = centre + directions * radii * rng.uniform(0.72, 1.18, (len(directions), 1))
    outward = directions[faces].mean(axis=1)
    shade = (0.62 + 0.38 * outward[:, 2:]) * tint * rng.uniform(0.6, 1.2, (len(outward), 1))
    normals = directions + rng.normal(0, 0.35, directions.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return surface(vertices, faces, material, np.clip(shade, 0.03, None), tile=1.1, normals=normals)


def _cards(
    rng: np.random.Generator,
    centres: np.ndarray,
    outward: np.ndarray,
    size: tuple[float, float],
    material: int,
    tint: np.ndarray,
) -> Mesh:
    """Twigs: small triangles at random angles around ``centres`` ``(n, 3)``, lit as the crown is there."""
    n = len(centres)
    frames = np.linalg.qr(rng.standard_normal((n, 3, 3)))[0]
    scale = rng.uniform(*size, (n, 1))
    a = centres + frames[:, 0] * scale
    b = centres - frames[:, 0] * scale * 0.6 + frames[:, 1] * scale * 0.8
    c = centres - frames[:, 0] * scale * 0.6 - frames[:, 1] * scale * 0.8
    vertices = np.stack([a, b, c], axis=1).reshape(-1, 3)
    shade = tint * (0.62 + 0.38 * outward[:, 2:]) * rng.uniform(0.7, 1.3, (n, 1))
    uv = rng.uniform(0, 1, (n, 1, 2)) + np.array([[0.25, 0.5], [0, 0], [0.5, 0]]) * scale[..., None]
    normals = outward + rng.normal(0, 0.4, outward.shape)
    normals = np.repeat(normals / np.linalg.norm(normals, axis=1, keepdims=True), 3, axis=0)
    return surface(
        vertices,
        np.arange(3 * n).reshape(-1, 3),
        material,
        np.clip(shade, 0.04, None),
        uv=uv,
        normals=normals,
    )


def _crown(
    rng: np.random.Generator,
    centres: np.ndarray,
    radii: np.ndarray,
    material: int,
    tint: np.ndarray,
    cards: int,
) -> list[Mesh]:
    """Clumps of leaves (lumpy ellipsoids) with loose twigs around them."""
    parts = [
        _blob(rng, c, r, material, tint * rng.uniform(0.65, 1.0)) for c, r in zip(centres, radii, strict=True)
    ]
    chosen = rng.integers(0, len(centres), cards)
    directions = rng.standard_normal((cards, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    positions = centres[chosen] + directions * radii[chosen] * rng.uniform(0.8, 1.25, (cards, 1))
    parts.append(_cards(rng, positions, directions, (0.07, 0.19), material, tint))
    return parts


def _leaf_colour(rng: np.random.Generator, autumn: bool) -> tuple[int, np.ndarray]:
    material = INDEX["autumn_leaves" if autumn else "leaves"]
    return material, rng.uniform(0.75, 1.15) * rng.uniform([0.85, 0.9, 0.7], [1.15, 1.05, 1.1])


def broadleaf_tree(rng: np.random.Generator, height: float, autumn: bool, near: bool) -> Mesh:
    """Deciduous tree of ``height`` metres; ``near`` ones get finer crowns."""
    material, tint = _leaf_colour(rng, autumn)
    clear = height * rng.uniform(0.2, 0.36)
    spread = height * rng.uniform(0.22, 0.36)
    tall = (height - clear) / 2
    count = 18 if near else 8
    # Clumps fill the crown's outer half: evenly spread directions, jittered, so that no side stays bare.
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count) + rng.normal(0, 0.3, count)
    up = np.clip(1 - 2 * (np.arange(count) + 0.5) / count + rng.normal(0, 0.08, count), -1, 1)
    out = np.sqrt(1 - up**2) * rng.uniform(0.45, 0.85, count)
    centres = np.stack(
        [spread * out * np.cos(turn), spread * out * np.sin(turn), height - tall + 0.8 * tall * up], axis=1
    )
    size = (0.34 if near else 0.5) * spread * rng.uniform(0.75, 1.25, count)
    radii = size[:, None] * np.array([1.0, 1.0, 0.75])
    heart = np.array([[0.0, 0.0, height - tall]])
    trunk = max(0.07, 0.017 * height)
    top = np.array([*rng.normal(0, 0.15, 2), clear + 0.5 * tall])
    parts = [cylinder((0, 0, -0.3), top, trunk, _BARK, tile=0.8, top_radius=0.45 * trunk)]
    for centre in centres[::4]:
        start = top * rng.uniform(0.5, 0.9)
        parts.append(
            cylinder(start, centre, 0.35 * trunk, _BARK, tile=0.8, top_radius=0.1 * trunk, sections=5)
        )
    parts.append(
        _blob(rng, heart[0], np.array([0.5, 0.5, 0.62]) * (spread, spread, tall), material, tint * 0.35)
    )
    parts += _crown(rng, centres, radii, material, tint, 1900 if near else 200)
    return merge(parts).labelled(PixelClass.VEGETATION)


def conifer(rng: np.random.Generator, height: float, near: bool) -> Mesh:
    """Spruce-like tree: a ragged cone of branches."""
    material, tint = INDEX["needles"], rng.uniform(0.6, 1.0) * rng.uniform([0.8, 0.9, 0.8], [1.1, 1.0, 1.1])
    base, clear = height * rng.uniform(0.17, 0.25), height * rng.uniform(0.05, 0.15)
    cards = 1600 if near else 300
    level = 1 - np.sqrt(rng.uniform(0, 1, cards))
    angle = rng.uniform(0, 2 * np.pi, cards)
    radius = base * (1 - level) * rng.uniform(0.75, 1.1, cards)
    outward = np.stack([np.cos(angle), np.sin(angle), np.full(cards, 0.35)], axis=1) / np.hypot(1, 0.35)
    positions = np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), clear + level * (height - clear)], axis=1
    )
    parts = [
        cylinder((0, 0, -0.3), (0, 0, 0.6 * height), 0.02 * height, _BARK, tile=0.8, top_radius=0.05),
        cylinder(
            (0, 0, clear),
            (0, 0, height),
            0.85 * base,
            material,
            tint * 0.45,
            tile=1.1,
            top_radius=0.02,
            sections=14,
        ),
        _cards(rng, positions, outward, (0.12, 0.3), material, tint),
    ]
    return merge(parts).labelled(PixelClass.VEGETATION)


def bush(rng: np.random.Generator, size: float, autumn: bool) -> Mesh:
    """Bush about ``size`` metres high."""
    material, tint = _leaf_colour(rng, autumn)
    count = 6
    centres = np.stack(
        [*rng.normal(0, 0.35 * size, (2, count)), rng.uniform(0.25, 0.6, count) * size], axis=1
    )
    radii = rng.uniform(0.35, 0.5, (count, 1)) * size * np.array([1.0, 1.0, 0.95])
    crown = _crown(rng, centres, radii, material, tint * 0.8, 200)
    return merge(crown).labelled(PixelClass.VEGETATION)


def hedge(rng: np.random.Generator, path: np.ndarray, height: float, width: float) -> Mesh:
    """Clipped hedge along ground points ``(n, 3)``."""
    material, tint = _leaf_colour(rng, False)
    across = leftward(path)
    outline = np.array(
        [(-0.5, -0.1), (-0.52, 0.5), (-0.45, 0.95), (0, 1.0), (0.45, 0.95), (0.52, 0.5), (0.5, -0.1)]
    )
    rough = 1 + 0.08 * rng.standard_normal((len(path), len(outline), 2))
    shape = outline * rough * (width, height)
    sections = path[:, None] + across[:, None] * shape[..., :1] + np.array([0, 0, 1.0]) * shape[..., 1:]
    parts = [loft(sections[:, ::-1], material, tint * 0.6, tile=0.9, smooth=False)]
    count = int(45 * height * len(path))
    pick, spot = rng.integers(0, len(path), count), rng.integers(0, len(outline), count)
    centres = sections[pick, spot] + rng.normal(0, 0.12, (count, 3))
    outward = across[pick] * np.sign(outline[spot, :1] + 1e-3) * 0.8 + np.array([0, 0, 0.6])
    parts.append(_cards(rng, centres, outward, (0.06, 0.16), material, tint * 0.7))
    return merge(parts).labelled(PixelClass.VEGETATION)


def tree_line(rng: np.random.Generator, path: np.ndarray, height: float) -> Mesh:
    """Edge of a far wood along ground points ``(n, 3)``: lumpy leaf-covered humps."""
    material, tint = _leaf_colour(rng, rng.random() < 0.3)
    parts = []
    for point in path:
        tall = height * rng.uniform(0.6, 1.1)
        radii = np.array([tall * 0.5, tall * 0.5, tall * 0.62])
        parts.append(
            _blob(rng, point + np.array([0, 0, 0.4 * tall]), radii, material, tint * rng.uniform(0.6, 0.9))
        )
    return merge(parts).labelled(PixelClass.VEGETATION)
