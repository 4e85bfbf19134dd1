"""Painted surfaces: small tileable pictures of asphalt, brick, leaves, windows.

Each painter returns RGBA float ``(SIZE, SIZE, 4)`` in 0..1: colour as a display shows it (not linear), and in
the fourth channel how much the spot reflects (glass 1, matt 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

SIZE = 256
Painter = Callable[[np.random.Generator], np.ndarray]


def noise(rng: np.random.Generator, slope: float, size: int = SIZE) -> np.ndarray:
    """Tileable Gaussian noise ``(size, size)``, mean 0, deviation 1, amplitude ~ frequency ** -slope."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * frequency**-slope
    field = np.fft.irfft2(spectrum, s=(size, size))
    return field / field.std()


def rgba(gray: np.ndarray, colour: Sequence[float] = (1, 1, 1), gloss: float = 0.0) -> np.ndarray:
    """Picture of one colour shaded by ``gray`` ``(SIZE, SIZE)``."""
    picture = np.empty((SIZE, SIZE, 4))
    picture[..., :3] = gray[..., None] * np.asarray(colour)
    picture[..., 3] = gloss
    return picture


def _grid() -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(SIZE), np.arange(SIZE))


def asphalt(rng: np.random.Generator) -> np.ndarray:
    grain = 0.36 + 0.045 * noise(rng, 0.0) + 0.03 * noise(rng, 1.0) + 0.02 * noise(rng, 1.8)
    grain[rng.random((SIZE, SIZE)) > 0.985] += 0.12
    canvas = np.ascontiguousarray(grain)
    for _ in range(rng.integers(0, 3)):
        steps = rng.normal(0, 5, (24, 2)).cumsum(axis=0) + rng.uniform(40, SIZE - 40, 2)
        cv2.polylines(canvas, [steps.astype(np.int32)], False, 0.22, 1, cv2.LINE_AA)
    return rgba(canvas, (1.0, 1.0, 1.02))


def flat(rng: np.random.Generator) -> np.ndarray:
    return rgba(0.9 + 0.015 * noise(rng, 1.0))


def plaster(rng: np.random.Generator) -> np.ndarray:
    return rgba(0.86 + 0.025 * noise(rng, 0.3) + 0.035 * noise(rng, 1.8))


def concrete(rng: np.random.Generator) -> np.ndarray:
    gray = 0.58 + 0.03 * noise(rng, 0.2) + 0.06 * noise(rng, 1.6)
    gray[:2] -= 0.15
    gray[:, :2] -= 0.15
    return rgba(gray, (1.0, 0.99, 0.96))


def _blocks(
    rng: np.random.Generator, rows: int, columns: int, joint: int, spread: float, offset: bool
) -> np.ndarray:
    """Gray of a wall or floor laid from blocks: each block its own shade, dark or light joints 0."""
    x, y = _grid()
    row = y * rows // SIZE
    shifted = (x + np.where(offset & (row % 2 == 1), SIZE // columns // 2, 0)) % SIZE
    column = shifted * columns // SIZE
    shade = rng.normal(0.0, spread, (rows, columns))[row, column]
    in_joint = (y % (SIZE // rows) < joint) | (shifted % (SIZE // columns) < joint)
    return np.where(in_joint, np.nan, shade)


def _laid(
    rng: np.random.Generator, blocks: np.ndarray, base: float, joint: float, colour: Sequence[float]
) -> np.ndarray:
    rough = 0.03 * noise(rng, 0.2) + 0.03 * noise(rng, 1.4)
    in_joint = np.isnan(blocks)
    picture = rgba(np.where(in_joint, 0.0, base + np.nan_to_num(blocks)) + rough, colour)
    picture[in_joint, :3] = joint + rough[in_joint, None]
    return picture


def brick(rng: np.random.Generator) -> np.ndarray:
    return _laid(rng, _blocks(rng, 16, 8, 3, 0.09, True), 0.62, 0.55, (1.0, 0.62, 0.48))


def stone_wall(rng: np.random.Generator) -> np.ndarray:
    return _laid(rng, _blocks(rng, 8, 4, 4, 0.07, True), 0.62, 0.42, (1.0, 0.94, 0.82))


def paving(rng: np.random.Generator) -> np.ndarray:
    return _laid(rng, _blocks(rng, 4, 4, 4, 0.05, False), 0.55, 0.36, (1.0, 0.98, 0.94))


def paving_bricks(rng: np.random.Generator) -> np.ndarray:
    return _laid(rng, _blocks(rng, 16, 8, 2, 0.06, True), 0.5, 0.3, (1.0, 0.9, 0.84))


def cobbles(rng: np.random.Generator) -> np.ndarray:
    return _laid(rng, _blocks(rng, 16, 16, 4, 0.08, True), 0.48, 0.24, (1.0, 0.98, 0.96))


def _strokes(
    rng: np.random.Generator, count: int, length: tuple[float, float], width: tuple[float, float],
    colours: np.ndarray, ground: Sequence[float], upright: bool,
) -> np.ndarray:  # fmt: skip
    """Many small ellipses (leaves, blades), the later ones lighter, wrapped at the borders."""
    canvas = np.empty((SIZE, SIZE, 3))
    canvas[:] = ground
    for step in range(count):
        light = 0.45 + 0.75 * step / count
        colour = tuple(float(c) for c in colours[rng.integers(len(colours))] * light * rng.uniform(0.8, 1.2))
        angle = rng.normal(90, 20) if upright else rng.uniform(0, 180)
        axes = (max(1, int(rng.uniform(*length))), max(1, int(rng.uniform(*width))))
        x, y = rng.integers(0, SIZE, 2)
        reach = max(axes) + 1
        for dx in (-SIZE, 0, SIZE):
            for dy in (-SIZE, 0, SIZE):
                if -reach < x + dx < SIZE + reach and -reach < y + dy < SIZE + reach:
                    centre = (int(x + dx), int(y + dy))
                    cv2.ellipse(canvas, centre, axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
    return np.dstack([canvas, np.zeros((SIZE, SIZE))])


_GREENS = np.array([(0.42, 0.52, 0.22), (0.34, 0.46, 0.18), (0.50, 0.55, 0.26), (0.38, 0.50, 0.26)])
_AUTUMN = np.array([(0.55, 0.45, 0.2), (0.6, 0.38, 0.18), (0.45, 0.45, 0.2), (0.5, 0.5, 0.24)])


def leaves(rng: np.random.Generator) -> np.ndarray:
    return _strokes(rng, 1600, (5, 11), (3, 6), _GREENS, (0.05, 0.08, 0.03), False)


def autumn_leaves(rng: np.random.Generator) -> np.ndarray:
    return _strokes(rng, 1600, (5, 11), (3, 6), _AUTUMN, (0.08, 0.07, 0.03), False)


def needles(rng: np.random.Generator) -> np.ndarray:
    return _strokes(rng, 2600, (6, 12), (1, 2), _GREENS * (0.75, 0.9, 0.95), (0.04, 0.06, 0.04), True)


def grass(rng: np.random.Generator) -> np.ndarray:
    painted = _strokes(rng, 3500, (3, 8), (1, 2), _GREENS, (0.2, 0.22, 0.1), True)
    painted[..., :3] *= (0.9 + 0.1 * noise(rng, 1.5))[..., None]
    return painted


def dry_grass(rng: np.random.Generator) -> np.ndarray:
    mixed = np.concatenate([_GREENS, _AUTUMN, [(0.6, 0.55, 0.35)]])
    return _strokes(rng, 3500, (3, 8), (1, 2), mixed, (0.3, 0.27, 0.15), True)


def soil(rng: np.random.Generator) -> np.ndarray:
    return rgba(0.5 + 0.06 * noise(rng, 0.2) + 0.06 * noise(rng, 1.3), (1.0, 0.86, 0.68))


def gravel(rng: np.random.Generator) -> np.ndarray:
    stones = np.array([(0.6, 0.58, 0.54), (0.5, 0.5, 0.5), (0.68, 0.64, 0.58)])
    return _strokes(rng, 2500, (2, 5), (2, 4), stones, (0.3, 0.28, 0.26), False)


def bark(rng: np.random.Generator) -> np.ndarray:
    stretched = cv2.resize(noise(rng, 0.8), None, fx=1, fy=6, interpolation=cv2.INTER_LINEAR)[:SIZE]
    return rgba(np.clip(0.4 + 0.12 * stretched, 0.1, 0.8), (1.0, 0.88, 0.74))


def roof_tiles(rng: np.random.Generator) -> np.ndarray:
    blocks = np.nan_to_num(_blocks(rng, 16, 12, 1, 0.05, True), nan=-0.25)
    _, y = _grid()
    wave = 0.12 * (y % 16) / 16
    return rgba(0.6 + blocks - wave + 0.02 * noise(rng, 1.0))


def wood(rng: np.random.Generator) -> np.ndarray:
    x, _ = _grid()
    grain = cv2.resize(noise(rng, 1.0), None, fx=1, fy=5, interpolation=cv2.INTER_LINEAR)[:SIZE]
    gray = 0.55 + 0.06 * grain + rng.normal(0, 0.05, 8)[x * 8 // SIZE]
    gray[x % 32 < 3] -= 0.3
    return rgba(gray, (1.0, 0.82, 0.6))


def worn_paint(rng: np.random.Generator) -> np.ndarray:
    worn = noise(rng, 0.9) > 1.7
    gray = np.where(worn, 0.55, 0.86) + 0.03 * noise(rng, 0.3)
    return rgba(gray)


def rails(rng: np.random.Generator) -> np.ndarray:
    """Radiator grille: dark with light bars."""
    _, y = _grid()
    return rgba(np.where(y % 32 < 8, 0.35, 0.08) + 0.01 * noise(rng, 0.5), gloss=0.3)


def wheel(rng: np.random.Generator) -> np.ndarray:
    canvas = np.full((SIZE, SIZE, 4), 0.03)
    centre, count = (SIZE // 2, SIZE // 2), int(rng.integers(5, 10))
    cv2.circle(canvas, centre, 122, (0.62, 0.62, 0.64, 0.3), 10, cv2.LINE_AA)
    for angle in np.arange(count) * 2 * np.pi / count:
        end = (int(SIZE / 2 + 118 * np.cos(angle)), int(SIZE / 2 + 118 * np.sin(angle)))
        cv2.line(canvas, centre, end, (0.58, 0.58, 0.6, 0.3), int(rng.integers(16, 34)), cv2.LINE_AA)
    cv2.circle(canvas, centre, 24, (0.5, 0.5, 0.52, 0.3), -1, cv2.LINE_AA)
    return canvas


def window(rng: np.random.Generator) -> np.ndarray:
    """Glass with frame, bars and perhaps a curtain or a half-closed blind behind it."""
    behind = 0.14 + 0.03 * noise(rng, 1.5)
    canvas = rgba(behind, (0.9, 1.0, 1.1), 1.0)
    if rng.random() < 0.5:
        x, _ = _grid()
        folds = 0.62 + 0.1 * np.sin(x / rng.uniform(4, 9))
        left, right = (int(rng.uniform(0.1, 0.35) * SIZE) for _ in range(2))
        for columns in (slice(0, left), slice(SIZE - right, SIZE)):
            canvas[:, columns, :3] = folds[:, columns, None]
            canvas[:, columns, 3] = 0.5
    if rng.random() < 0.4:
        low = int(rng.uniform(0.15, 0.8) * SIZE)
        slats = np.where(np.arange(low) % 12 < 2, 0.4, 0.72)
        canvas[:low, :, :3], canvas[:low, :, 3] = slats[:, None, None], 0.1
    frame = (*([rng.uniform(0.75, 0.95)] * 3 if rng.random() < 0.75 else (0.32, 0.24, 0.18)), 0.1)
    cv2.rectangle(canvas, (0, 0), (SIZE - 1, SIZE - 1), frame, 26)
    if rng.random() < 0.8:
        cv2.line(canvas, (SIZE // 2, 0), (SIZE // 2, SIZE), frame, 14)
    if rng.random() < 0.5:
        cv2.line(canvas, (0, SIZE // 3), (SIZE, SIZE // 3), frame, 14)
    return canvas


def door(rng: np.random.Generator) -> np.ndarray:
    colour = np.full(3, 0.75)
    canvas = rgba(1 + 0.02 * noise(rng, 1.0), colour, 0.1)
    cv2.rectangle(canvas, (0, 0), (SIZE - 1, SIZE - 1), (*(colour * 0.6), 0.0), 20)
    for top in (40, 150):
        glass = top == 40 and rng.random() < 0.6
        fill = (0.15, 0.17, 0.18, 1.0) if glass else (*(colour * 0.8), 0.1)
        cv2.rectangle(canvas, (50, top), (SIZE - 50, top + 80), fill, -1)
    return canvas


def cloth(rng: np.random.Generator) -> np.ndarray:
    return rgba(0.8 + 0.05 * noise(rng, 0.5) + 0.1 * noise(rng, 1.8))


def mottled(rng: np.random.Generator) -> np.ndarray:
    """Broad, soft variation that breaks up the repetition of the other textures."""
    return rgba(np.clip(0.5 + 0.14 * noise(rng, 1.5), 0.0, 1.0))
