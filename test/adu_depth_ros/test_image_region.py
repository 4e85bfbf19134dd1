import cv2
import numpy as np
import pytest

from adu_depth_ros.image_region import check_inside, check_mask, hidden_pixels, parse_region


def test_a_region_is_left_top_width_height():
    assert parse_region("") is None
    region = parse_region("10, 20,100,50")
    assert tuple(region) == (10, 20, 100, 50)
    check_inside(region, 110, 70)
    with pytest.raises(ValueError, match="10,20,100,50 is outside the 69x110 image"):
        check_inside(region, 110, 69)


@pytest.mark.parametrize("text", ["1,2,3", "1,2,0,4", "1,2,3,00", "-1,2,3,4", "1.5,2,3,4", "all"])
def test_another_region_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="0,100,1242,275"):
        parse_region(text)


def test_polygons_are_filled():
    hidden = hidden_pixels("0,4 9,4 9,5 0,5; 0,0 2,0 2,1 0,1", 10, 6)
    expected = np.zeros((6, 10), bool)
    expected[4:6, :] = expected[0:2, 0:3] = True
    assert np.array_equal(hidden, expected)
    assert hidden_pixels("", 10, 6) is None


def test_black_in_a_png_is_the_vehicle(tmp_path):
    mask = np.full((6, 10), 255, np.uint8)
    mask[3:] = 0
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), mask)
    check_mask(str(path))
    assert np.array_equal(hidden_pixels(str(path), 10, 6), mask == 0)
    with pytest.raises(ValueError, match=r"mask\.png is of 6x10 pixels, the image of 6x20"):
        hidden_pixels(str(path), 20, 6)
    cv2.imwrite(str(path), np.full((6, 20), 255, np.uint8))  # a different mask at the same path is reloaded
    assert not hidden_pixels(str(path), 20, 6).any()


@pytest.mark.parametrize("text", ["missing.png", "1,2 3,4", "1,2 3,4 five", "0,0 1,1 1,0; 2,2"])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(ValueError, match="ego_mask"):
        check_mask(text)


def test_a_png_that_is_none_is_refused(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"ego_mask .* cannot be read"):
        check_mask(str(path))
