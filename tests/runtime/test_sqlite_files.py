"""A damaged database is set aside with everything that belongs to it."""

from pathlib import Path

from rnnkit.runtime.sqlite_files import COMPANIONS, set_aside


def test_no_companion_stays_for_the_next_database_of_the_name(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    for ending in ("", *COMPANIONS):
        (tmp_path / f"a.db{ending}").write_text(ending)
    aside = set_aside(file)
    assert not list(tmp_path.glob("a.db")) + list(tmp_path.glob("a.db-*"))
    for ending in ("", *COMPANIONS):
        assert aside.with_name(aside.name + ending).read_text() == ending


def test_a_lost_database_leaves_no_companion_either(tmp_path: Path) -> None:
    (tmp_path / "a.db-journal").write_text("x")
    set_aside(tmp_path / "a.db")
    assert not (tmp_path / "a.db-journal").exists()
