"""Visualisations of training views."""

import numpy as np
import pytest

from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.model_card import read_card
from adu_depth_core.training.view_picture import ERROR_SCALE, draw
from adu_depth_core.visualization import UNKNOWN_COLOR

HEIGHT, WIDTH = 64, 320
TITLE = 28  # rows of a panel title at this width


def maps(**more):
    flat = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    truth = flat + 10.0
    truth[:, : WIDTH // 2] = 0.0
    mu = np.log(flat + 12.0)
    return {"image": flat.repeat(3, axis=2), "truth": truth, "mu": mu, "log_b": flat - 2.0, **more}


@pytest.mark.parametrize("teacher", [False, True])
def test_panels_stand_two_in_a_row(teacher):
    extra = {"teacher_mu": maps()["mu"], "teacher_log_b": maps()["log_b"]} if teacher else {}
    extra |= {"response_weight": maps()["truth"], "feature_weight": maps()["truth"]} if teacher else {}
    picture = draw(maps(**extra), read_card(default_model()))
    rows = 5 if teacher else 3  # nine or five panels
    assert picture.shape == (rows * (HEIGHT + TITLE), 2 * WIDTH, 3)
    assert picture.dtype == np.uint8


def test_the_error_is_shown_where_truth_is_known_and_nowhere_else():
    picture = draw(maps(), read_card(default_model()))
    error = picture[2 * (HEIGHT + TITLE) + TITLE :, :WIDTH]
    assert (error[:, : WIDTH // 2] == UNKNOWN_COLOR).all()
    assert (error[:, WIDTH // 2 :] == ERROR_SCALE.colors(np.full((1, 1), 20.0))[0, 0]).all()
