"""What a trial of a reproducible sweep knows of the others.

How trials that run side by side end, and when, depends on the machine. A trial's values and its
pruning follow from the results of trials whose number lies at least `workers` below its own: these
have ended when it begins. Of the trials in between it knows the points, which are drawn in turn.
"""

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState, create_trial


def has_ended(study: optuna.Study, number: int, workers: int) -> bool:
    """Whether all trials have ended whose results trial `number` depends on."""
    trials = study.get_trials(deepcopy=False)[: max(0, number - workers + 1)]
    return all(trial.state.is_finished() for trial in trials)


def earlier_trials(
    study: optuna.Study, number: int, workers: int, pruner: BasePruner | None = None
) -> optuna.Study:
    """The study as trial `number` knows it, in memory: the earlier trials and itself, running."""
    known = optuna.create_study(
        study_name=study.study_name,
        direction=study.direction,
        storage=optuna.storages.InMemoryStorage(),
        pruner=pruner or optuna.pruners.NopPruner(),
    )
    for trial in study.get_trials(deepcopy=False)[:number]:
        known.add_trial(trial if trial.number <= number - workers else _as_point(trial))
    known.add_trial(create_trial(state=TrialState.RUNNING))
    return known


def write_attributes(known: optuna.Study, study: optuna.Study, trial: FrozenTrial) -> None:
    """Keep with a trial of the study what a sampler or a pruner wrote in memory."""
    written = known.get_trials(deepcopy=False)[trial.number].system_attrs
    for key, value in written.items():
        if trial.system_attrs.get(key) != value:
            study._storage.set_trial_system_attr(trial._trial_id, key, value)


def _as_point(trial: FrozenTrial) -> FrozenTrial:
    """A trial of which only the point is known."""
    return create_trial(
        state=TrialState.RUNNING,
        params=dict(trial.params),
        distributions=dict(trial.distributions),
    )


class EarlierPruner(BasePruner):
    """Lets a pruner decide by the earlier trials alone.

    It decides from the trial's first report on, in memory, so that a trial whose worker was killed
    between a report and the decision gets the same one.
    """

    def __init__(self, pruner: BasePruner, workers: int) -> None:
        self._pruner, self._workers = pruner, workers
        self._known: optuna.Study | None = None
        self._begun: tuple[int, ...] = ()  # number and first step of the trial
        self._judged: set[int] = set()  # its steps
        self._is_pruned = False

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        steps = sorted(trial.intermediate_values)
        if self._known is None or (trial.number, *steps[:1]) != self._begun:
            self._known = earlier_trials(study, trial.number, self._workers, self._pruner)
            self._begun, self._judged = (trial.number, *steps[:1]), set()
        own = self._known.get_trials(deepcopy=False)[trial.number]
        live = optuna.Trial(self._known, own._trial_id)
        for step in steps:
            if step not in self._judged:
                live.report(trial.intermediate_values[step], step)
                self._is_pruned = live.should_prune()
                self._judged.add(step)
        write_attributes(self._known, study, trial)
        return self._is_pruned
