import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.datasets.faults import FAULTS, faulty
from adu_depth_core.datasets.photometric import vary

IMAGE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 1.0), st.booleans())
def test_varied_images_keep_size_and_type(seed, strength, with_depth):
    depth = np.full(IMAGE.shape[:2], np.inf, np.float32) if with_depth else None
    varied = vary(IMAGE, np.random.default_rng(seed), strength, depth)
    assert varied.dtype == np.uint8
    assert varied.shape == IMAGE.shape


def test_no_strength_changes_nothing():
    for seed in range(5):
        varied = vary(IMAGE, np.random.default_rng(seed), 0.0)
        assert np.abs(varied.astype(int) - IMAGE).max() <= 1


def test_every_fault_keeps_size_and_type_and_spoils_the_image():
    for fault in FAULTS:
        spoilt = fault(IMAGE, np.random.default_rng(1))
        assert spoilt.dtype == np.uint8, fault
        assert spoilt.shape == IMAGE.shape, fault
        assert (spoilt != IMAGE).mean() > 0.3, fault


def test_all_faults_occur():
    random = np.random.default_rng(0)
    seen = {faulty(IMAGE, random).tobytes() for _ in range(100)}
    assert len(seen) >= len(FAULTS)
