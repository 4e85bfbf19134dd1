from adu_depth_core.labels import distinct


def test_equal_names_are_numbered():
    assert distinct(["a", "b", "c", "b"]) == ["a", "b (1)", "c", "b (2)"]
