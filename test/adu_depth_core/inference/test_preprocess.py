"""Any camera image becomes the same normalised tensor, regardless of channel order."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import ModelCard

CARD = ModelCard("m", "student", "none", 64, 96, f_ref=100.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.0)


def camera_of(image):
    height, width = image.shape[:2]
    return Camera(100.0, 100.0, width / 2, height / 2, width, height)


def preprocess(image, channels="rgb", size=(64, 96)):
    return Preprocessor(CARD, size)(image, Placement.fit(camera_of(image), size), channels).image


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


def test_values_are_scaled_and_normalised_per_channel(image):
    tensor = preprocess(image)
    expected = (image / 255.0 - np.array(CARD.mean)) / np.array(CARD.std)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    np.testing.assert_allclose(tensor[0], expected.transpose(2, 0, 1), atol=2e-6)


@pytest.mark.parametrize(
    ("channels", "convert"),
    [
        ("bgr", lambda rgb: rgb[..., ::-1]),
        ("rgba", lambda rgb: np.dstack([rgb, np.full(rgb.shape[:2], 7, np.uint8)])),
        ("bgra", lambda rgb: np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 7, np.uint8)])),
    ],
)
@pytest.mark.parametrize("size", [(64, 96), (32, 64), (96, 64)])
def test_channel_order_does_not_matter(image, channels, convert, size):
    assert np.array_equal(preprocess(convert(image), channels, size), preprocess(image, "rgb", size))


@pytest.mark.parametrize("shape", [(64, 96), (64, 96, 1)])
def test_mono_is_gray_in_all_channels(image, shape):
    mono = image[..., 0]
    assert np.array_equal(
        preprocess(mono.reshape(shape), "mono"), preprocess(np.dstack([mono, mono, mono]), "rgb")
    )


def test_the_camera_is_that_of_the_whole_input_with_its_border():
    """A 40x80 image (height x width) fills 48 of 64 rows of a 96 wide input: scaled by 1.2, 8 rows down."""
    camera = Camera(100.0, 200.0, 39.5, 19.5, 80, 40)
    seen = Preprocessor(CARD, (64, 96))(np.zeros((40, 80, 3), np.uint8), Placement.fit(camera, (64, 96)))
    assert seen.camera.dtype == np.float32
    np.testing.assert_allclose(seen.camera, [[120.0, 240.0, 47.5, 23.5 + 8]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(20, 100), (100, 20), (33, 77)])
def test_border_repeats_the_outermost_pixels(shape):
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    placement = Placement.fit(camera_of(image), (64, 96))
    tensor = preprocess(image)[0]
    pad = (
        (0, 0),
        (placement.top, 64 - placement.top - placement.height),
        (placement.left, 96 - placement.left - placement.width),
    )
    assert np.array_equal(tensor, np.pad(placement.cut(tensor), pad, mode="edge"))


def test_nothing_of_an_earlier_image_remains(image):
    preprocessor = Preprocessor(CARD, (64, 96))
    preprocessor(image, Placement.fit(camera_of(image), (64, 96)), "rgb")
    tall = np.random.default_rng(2).integers(0, 256, (300, 50, 3), np.uint8)
    again = preprocessor(tall, Placement.fit(camera_of(tall), (64, 96)), "rgb")
    assert np.array_equal(again.image, preprocess(tall))


@pytest.mark.parametrize(
    ("image", "channels", "message"),
    [
        (np.zeros((64, 96, 3), np.float32), "rgb", "float32"),
        (np.zeros((64, 96, 3), np.uint8), "rgba", "must be uint8"),
        (np.zeros((64, 96, 3), np.uint8), "mono", "must be uint8"),
        (np.zeros((63, 96, 3), np.uint8), "rgb", r"\(63, 96, 3\)"),
        (np.zeros((64, 96, 3), np.uint8), "yuv", "must be one of rgb"),
    ],
)
def test_an_image_that_is_not_what_was_announced_is_refused(image, channels, message):
    placement = Placement.fit(Camera(100.0, 100.0, 48, 32, 96, 64), (64, 96))
    with pytest.raises(ValueError, match=message):
        Preprocessor(CARD, (64, 96))(image, placement, channels)
