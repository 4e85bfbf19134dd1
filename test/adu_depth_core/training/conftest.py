import pytest


@pytest.fixture(autouse=True)
def _describe_few_views(few_views_to_describe):
    """Settings for every test that trains."""
