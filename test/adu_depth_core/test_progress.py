"""The progress bar tells count, rate and what is left, on standard error."""

from adu_depth_core.progress import progress_bar


def test_progress_is_told_on_standard_error(capsys):
    with progress_bar("images") as progress:
        task = progress.add_task("predict", total=3)
        for _ in range(3):
            progress.advance(task)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "3/3" in captured.err
    assert "images/s" in captured.err
