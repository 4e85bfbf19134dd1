import pytest


@pytest.fixture(autouse=True)
def few_views_to_describe(monkeypatch):
    """A fingerprint is fitted at the end of each training: on as few views as it takes."""
    pytest.importorskip("torch")
    pytest.importorskip("timm")
    from adu_depth_core.training import familiarity

    monkeypatch.setattr(familiarity, "VIEWS", 140)
