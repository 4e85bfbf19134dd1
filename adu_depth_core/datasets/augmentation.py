"""Augmentation of a view to a network input: resize, zoom, crop, mirror, photometric noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.photometric import vary
from adu_depth_core.datasets.views import View
from adu_depth_core.images import downscale


@dataclass(frozen=True)
class Augmentation:
    """Range of variation of training inputs.

    :param height: rows of the result
    :param width: columns of the result; less than the resized image gives a random horizontal crop
    :param max_zoom: the image is enlarged by up to this factor before the crop; 1 for none
    :param zoom_probability: share of views that are zoomed
    :param mirroring: ``random`` mirrors half of the views; ``stereo`` mirrors those whose other camera is to
        the left, so that it is always to the right, as a stereo network expects it; ``none``
    :param photometric: strength of brightness, contrast, gamma, colour, blur and noise changes; 0 for none
    """

    height: int
    width: int
    max_zoom: float = 1.35
    zoom_probability: float = 0.5
    mirroring: str = "random"
    photometric: float = 1.0

    def geometry(self, view: View, random: np.random.Generator) -> View:
        """Zoom, crop and mirror: a view of size ``height x width`` whose camera matches it.

        Both images of a pair are cropped and enlarged alike, so that rows and disparities remain consistent.
        """
        view = self._zoom_and_crop(view, random)
        mirrored = {"random": random.random() < 0.5, "stereo": view.offset < 0, "none": False}[self.mirroring]
        return mirror(view) if mirrored else view

    def noise(self, view: View, random: np.random.Generator) -> View:
        """Photometric changes. The two cameras of a pair get the same, most of the time: they are one rig."""
        if not self.photometric:
            return view
        seeds = random.integers(2**31, size=2)
        image = vary(view.image, np.random.default_rng(seeds[0]), self.photometric)
        if view.other is None:
            return replace(view, image=image)
        of_other = np.random.default_rng(seeds[0] if random.random() < 0.7 else seeds[1])
        return replace(view, image=image, other=vary(view.other, of_other, self.photometric))

    def window(self, camera: Camera, random: np.random.Generator) -> tuple[int, int, int, int]:
        """Left, top, width and height of the part of the camera's image that a view shows, in pixels."""
        zoom = random.uniform(1.0, self.max_zoom) if random.random() < self.zoom_probability else 1.0
        scale = zoom * max(self.height / camera.height, self.width / camera.width)
        height = min(camera.height, round(self.height / scale))
        width = min(camera.width, round(self.width / scale))
        left = int(random.integers(camera.width - width + 1))
        top = int(random.integers(camera.height - height + 1))
        return left, top, width, height

    def _zoom_and_crop(self, view: View, random: np.random.Generator) -> View:
        # Crop in the source and resize once: cheaper than resizing the whole view.
        left, top, width, height = self.window(view.camera, random)
        rows, columns = slice(top, top + height), slice(left, left + width)
        cropped = replace(
            view,
            image=view.image[rows, columns],
            depth=view.depth[rows, columns],
            camera=view.camera.crop(left, top, width, height),
            other=None if view.other is None else view.other[rows, columns],
            taught=None if view.taught is None else view.taught[:, rows, columns],
        )
        return resize(cropped, self.height, self.width)


def resize(view: View, height: int, width: int) -> View:
    """The view at another size, resized as in inference.

    Depth and what a teacher says of it keep single values (nearest), so that edges are not blended.
    """

    def picked(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)

    return replace(
        view,
        image=downscale(view.image, width, height),
        depth=picked(view.depth),
        camera=view.camera.resize(width, height),
        other=None if view.other is None else downscale(view.other, width, height),
        taught=None if view.taught is None else np.stack([*map(picked, view.taught.astype(np.float32))]),
    )


def mirror(view: View) -> View:
    """The view mirrored left to right; the other camera changes sides."""
    return View(
        image=np.ascontiguousarray(view.image[:, ::-1]),
        depth=np.ascontiguousarray(view.depth[:, ::-1]),
        camera=view.camera.flip_horizontal(),
        other=None if view.other is None else np.ascontiguousarray(view.other[:, ::-1]),
        offset=-view.offset,
        taught=None if view.taught is None else np.ascontiguousarray(view.taught[..., ::-1]),
    )
