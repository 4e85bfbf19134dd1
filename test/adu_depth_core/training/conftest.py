import pytest


@pytest.fixture(autouse=True)
def _describe_few_views(few_views_to_describe):
    """For each test that trains."""
