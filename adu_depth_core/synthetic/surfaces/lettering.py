"""Painted surfaces with writing and symbols: traffic signs, number plates, shop fronts, advertisements.

Pictures as described in ``textures``.
"""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.synthetic.surfaces.textures import SIZE, noise, rgba

_WORDS = (
    "BAKERY", "HOTEL", "CAFE", "BOOKS", "MARKT", "PHARMACY", "BANK", "FLOWERS", "PIZZA", "OPTIK", "SALE",
    "GARAGE", "BIKES", "TEA", "SHOES", "MUSIC", "KIOSK", "APOTHEKE", "TOYS", "FRISEUR", "REISEN", "TAXI",
)  # fmt: skip


def _write(
    canvas: np.ndarray, text: str, start: tuple[int, int], scale: float, colour: tuple, thickness: int
) -> None:
    # cv2.putText draws on 8-bit pictures only (OpenCV 5), so the text goes through a mask.
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.putText(mask, text, start, cv2.FONT_HERSHEY_DUPLEX, scale, 255, thickness, cv2.LINE_AA)
    canvas += (np.asarray(colour) - canvas) * (mask[..., None] / 255.0)


def _lettering(
    rng: np.random.Generator, canvas: np.ndarray, baseline: int, height: float, colour: tuple
) -> None:
    word = _WORDS[rng.integers(len(_WORDS))]
    (width, tall), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
    scale = min(height / tall, (SIZE - 20) / width)
    start = (int((SIZE - width * scale) / 2), baseline)
    _write(canvas, word, start, scale, colour, max(2, int(3 * scale)))


def shop_front(rng: np.random.Generator) -> np.ndarray:
    """Display window under a lettered fascia."""
    canvas = rgba(0.2 + 0.06 * noise(rng, 1.2), (1.1, 1.0, 0.85), 0.8)
    for _ in range(12):
        x, y = rng.integers(10, SIZE - 40), rng.integers(100, SIZE - 40)
        size = rng.integers(10, 40, 2)
        goods = (*rng.uniform(0.1, 0.8, 3), 0.6)
        cv2.rectangle(canvas, (int(x), int(y)), (int(x + size[0]), int(y + size[1])), goods, -1)
    fascia = rng.uniform(0.1, 0.8, 3)
    cv2.rectangle(canvas, (0, 0), (SIZE, 62), (*fascia, 0.1), -1)
    text = 0.95 if fascia.mean() < 0.5 else 0.1
    _lettering(rng, canvas, 48, 36, (text, text, text, 0.1))
    frame = (*([rng.uniform(0.1, 0.7)] * 3), 0.1)
    cv2.rectangle(canvas, (0, 62), (SIZE - 1, SIZE - 1), frame, 12)
    cv2.line(canvas, (SIZE // 2, 62), (SIZE // 2, SIZE), frame, 8)
    return canvas


def poster(rng: np.random.Generator) -> np.ndarray:
    """Billboard, van side or house-number-sized lettering: flat colours, shapes, words."""
    canvas = rgba(np.ones((SIZE, SIZE)), rng.uniform(0.3, 0.95, 3), 0.1)
    for _ in range(6):
        colour = (*rng.uniform(0.05, 0.95, 3), 0.1)
        points = rng.integers(0, SIZE, (rng.integers(3, 6), 2)).astype(np.int32)
        cv2.fillPoly(canvas, [points], colour, cv2.LINE_AA)
    for baseline in (90, 180, 235):
        text = float(rng.choice([0.05, 0.95]))
        _lettering(rng, canvas, baseline, rng.uniform(24, 50), (text, text, text, 0.1))
    return canvas


def number_plate(rng: np.random.Generator) -> np.ndarray:
    canvas = rgba(np.full((SIZE, SIZE), 0.88), gloss=0.1)
    cv2.rectangle(canvas, (0, 0), (26, SIZE), (0.1, 0.2, 0.6, 0.1), -1)
    letters = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXZ"), 3)) + str(rng.integers(10, 99))
    _write(canvas, letters, (40, 170), 2.2, (0.05, 0.05, 0.05, 0.1), 8)
    return canvas


_RED, _BLUE, _WHITE, _BLACK = (
    (0.75, 0.08, 0.1, 0.1),
    (0.1, 0.25, 0.65, 0.1),
    (0.93, 0.93, 0.93, 0.1),
    (0.05, 0.05, 0.05, 0.1),
)


def speed_limit_sign(rng: np.random.Generator) -> np.ndarray:
    canvas = rgba(np.full((SIZE, SIZE), 0.75), (1.0, 0.11, 0.13), 0.1)
    cv2.circle(canvas, (128, 128), 96, _WHITE, -1, cv2.LINE_AA)
    _write(canvas, str(rng.choice([30, 50, 60, 70])), (66, 162), 3.2, _BLACK, 12)
    return canvas


def no_parking_sign(rng: np.random.Generator) -> np.ndarray:
    canvas = rgba(np.full((SIZE, SIZE), 0.75), (1.0, 0.11, 0.13), 0.1)
    cv2.circle(canvas, (128, 128), 98, _BLUE, -1, cv2.LINE_AA)
    cv2.line(canvas, (56, 56), (200, 200), _RED, 26, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.line(canvas, (200, 56), (56, 200), _RED, 26, cv2.LINE_AA)
    return canvas


def direction_sign(rng: np.random.Generator) -> np.ndarray:
    background, ink = (_BLUE, _WHITE) if rng.random() < 0.5 else ((0.9, 0.75, 0.1, 0.1), _BLACK)
    canvas = np.empty((SIZE, SIZE, 4))
    canvas[:] = background
    cv2.rectangle(canvas, (6, 6), (SIZE - 7, SIZE - 7), ink, 6)
    _lettering(rng, canvas, 110, 44, ink)
    _lettering(rng, canvas, 200, 44, ink)
    return canvas


def warning_sign(rng: np.random.Generator) -> np.ndarray:
    canvas = np.empty((SIZE, SIZE, 4))
    canvas[:] = _RED
    cv2.fillPoly(canvas, [np.array([[128, 52], [44, 206], [212, 206]], np.int32)], _WHITE, cv2.LINE_AA)
    cv2.ellipse(canvas, (128, 160), (int(rng.integers(10, 26)), 34), 0, 0, 360, _BLACK, -1, cv2.LINE_AA)
    return canvas


def arrow_sign(rng: np.random.Generator) -> np.ndarray:
    canvas = np.empty((SIZE, SIZE, 4))
    canvas[:] = _BLUE
    tip = (200, 200) if rng.random() < 0.5 else (128, 220)
    cv2.arrowedLine(canvas, (100, 50), tip, _WHITE, 22, cv2.LINE_AA, tipLength=0.4)
    return canvas
