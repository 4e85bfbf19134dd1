import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.files import check_folder_writable, check_writable, share_directory, write_atomically


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new folder" / "result.json"
    with write_atomically(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.suffix == ".json"
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert [p.name for p in path.parent.iterdir()] == ["result.json"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")

    def fail_half_way():
        with write_atomically(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "bag"
    path.mkdir()
    (path / "old").touch()
    with write_atomically(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
        assert (path / "old").exists()
    assert [p.name for p in path.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["bag"]


def test_a_place_that_can_be_written_passes_the_check(tmp_path):
    check_writable(tmp_path / "new" / "result.json")
    check_folder_writable(tmp_path / "other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "other"]
    assert not any((tmp_path / "new").iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file cannot be written"):
        check_writable(tmp_path / "file" / "result.json")
    with pytest.raises(UserError, match="it is a folder"):
        check_writable(tmp_path)


def test_the_share_directory_holds_what_is_installed_with_the_package():
    share = share_directory()
    assert (share / "package.xml").is_file()
    assert (share / "config").is_dir()
