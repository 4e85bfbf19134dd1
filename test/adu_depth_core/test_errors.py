import json

import pytest

from adu_depth_core.errors import UserError, require


def test_an_installed_package_is_returned():
    assert require("json", extra="none", purpose="for this test") is json


def test_a_missing_package_comes_with_the_command_that_installs_it():
    with pytest.raises(
        UserError, match=r"'no_such_runtime' is needed to fly .* pip install 'adu_depth\[wings\]'"
    ):
        require("no_such_runtime", extra="wings", purpose="to fly")
