"""`rnnkit claims`: the list, a page, its JSON, and what is refused."""

from pathlib import Path

from verb_runs import answers, rnnkit

SHORT = ("--set", "train.epochs=1", "--set", "data.limit=60", "--set", "seeds=[0]")


def test_claims_are_listed() -> None:
    (sentences,) = answers(rnnkit(Path(), "claims", "--list", "--json"))
    assert sentences["depth"].startswith("Two to four layers")
    listed = rnnkit(Path(), "claims", "depth", "--list")
    assert listed.stdout.splitlines() == [f"depth  {sentences['depth']}"]


def test_a_claim_is_tested_once_and_its_page_is_written_again(tmp_path: Path) -> None:
    (first,) = answers(rnnkit(tmp_path, "claims", "bidirectional", "--json", *SHORT))
    (claim,) = first["claims"]
    verdicts = {prediction["verdict"] for prediction in claim["predictions"]}
    assert verdicts <= {"holds", "undecided", "does not hold"}
    journals = sorted((tmp_path / "mlruns" / "claims").rglob("journal.jsonl"))
    assert len(journals) == 2
    before = [file.stat().st_mtime_ns for file in journals]
    page = tmp_path / "held.md"
    again = rnnkit(tmp_path, "claims", "bidirectional", "--page", str(page), *SHORT)
    assert "Reading in both directions helps tagging." in again.stdout
    assert f"{page.name}: written, with a figure for each" in again.stdout
    assert (tmp_path / "held" / "bidirectional.png").exists()
    assert [file.stat().st_mtime_ns for file in journals] == before


def test_what_is_no_claim_is_refused(tmp_path: Path) -> None:
    done = rnnkit(tmp_path, "claims", "depht")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rnnkit: depht: there is no such claim (did you mean depth?)")
    done = rnnkit(tmp_path, "claims", "depth", "--set", "model.hiden=3")
    assert done.returncode == 2
    assert "model.hiden: unknown key; did you mean 'hidden'?" in done.stderr
