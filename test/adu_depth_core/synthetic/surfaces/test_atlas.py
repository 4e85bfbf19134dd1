import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.synthetic.surfaces.atlas import LEVELS, Atlas
from adu_depth_core.synthetic.surfaces.textures import SIZE

RED = np.zeros((SIZE, SIZE, 4))
RED[..., 0] = 1.0
STRIPES = np.zeros((SIZE, SIZE, 4))
STRIPES[:, : SIZE // 2] = 1.0
ATLAS = Atlas([RED, STRIPES])


def sample(texture, u, v, level, blend=True):
    uv = np.array([[u, v]], np.float32)
    return ATLAS.sample(np.array([texture]), uv, np.array([level], np.float32), blend)[0]


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(-3, 20), st.booleans())
def test_one_colour_stays_that_colour_at_every_scale(u, v, level, blend):
    """No bleeding from neighbouring textures or mipmap levels."""
    np.testing.assert_allclose(sample(0, u, v, level, blend), [1, 0, 0, 0], atol=1e-6)


def test_near_detail_is_kept_and_far_detail_averaged():
    assert sample(1, 0.25, 0.5, 0)[0] == 1
    assert sample(1, 0.75, 0.5, 0)[0] == 0
    assert abs(sample(1, 0.0, 0.5, LEVELS)[0] - 0.5) < 0.3


def test_pictures_repeat():
    np.testing.assert_allclose(sample(1, 3.3, -2.4, 1), sample(1, 0.3, 0.6, 1), atol=0.01)


def test_levels_blend():
    edge = 0.5 + 1.5 / SIZE
    finer, between, coarser = (sample(1, edge, 0.5, level)[0] for level in (3, 3.5, 4))
    np.testing.assert_allclose(between, (finer + coarser) / 2, atol=1e-5)
    assert finer != coarser
