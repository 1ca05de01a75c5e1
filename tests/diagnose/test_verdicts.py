import string

from example_params import FILES, ROOT, experiment_of

from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.verdict import MAX_SHOWN, Verdict, accepted, shown


def test_at_most_three_verdicts_are_shown_the_weightiest_first() -> None:
    verdicts = [
        Verdict(name, "s", weight=weight)
        for name, weight in zip("abcde", (1, 5, 5, 2, 9), strict=True)
    ]
    assert [verdict.name for verdict in shown(verdicts)] == ["e", "b", "c"]
    assert len(shown(verdicts)) == MAX_SHOWN
    assert shown([]) == []


def test_overrides_that_change_nothing_or_are_refused_are_left_out() -> None:
    (demo,) = (file for file in FILES if file.stem == "demo")
    experiment = experiment_of(demo, {"tune": None})
    assert experiment.model.cell.kind == "gru"
    kept = accepted(
        experiment,
        {"model.cell.kind": "gru"},
        {"model.cell.activation": "relu"},
        {"model.cell.kind": "rnn", "model.cell.activation": "relu"},
        {"train.clip": -1},
        {"model.cell.kind": "lstm"},
    )
    assert kept == (
        {"model.cell.kind": "rnn", "model.cell.activation": "relu"},
        {"model.cell.kind": "lstm"},
    )


def test_a_verdict_says_what_to_paste() -> None:
    override = {"model.cell.kind": "rnn", "train.clip": None}
    verdict = RULES["dead_units"].verdict("half are dead", {"fraction": 0.5}, (override,))
    assert verdict.options == ("--set model.cell.kind=rnn --set train.clip=null",)
    assert verdict.to_json()["text"] == f"half are dead: try {verdict.options[0]}"
    assert Verdict("a", "nothing to try").text == "nothing to try"


def test_every_rule_uses_its_thresholds_in_its_condition() -> None:
    for name, rule in RULES.items():
        assert name == rule.name
        named = {field for _, field, _, _ in string.Formatter().parse(rule.when) if field}
        assert named == set(rule.thresholds)
        assert all(f"{value:g}" in rule.condition for value in rule.thresholds.values())
    weights = [rule.weight for rule in RULES.values()]
    assert weights == sorted(set(weights), reverse=True)


def test_the_page_of_the_docs_has_every_rule_with_its_condition() -> None:
    page = (ROOT / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"| `{rule.name}` | {rule.condition} |" in page
