"""The study: how trials are chosen and when they are pruned, over one database."""

from typing import Any

import optuna
from optuna.trial import TrialState

from flows.settings import Settings
from flows.tune.trials import ENDS, trial_folder
from rnnkit import numerics
from rnnkit.params import Experiment
from rnnkit.params.tune import Choices, Tune
from rnnkit.runfolder import RunFolder


def open_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The run's study; the parent makes it before any worker opens it."""
    assert experiment.tune is not None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(
        settings.study or f"sqlite:///{folder.path / 'study.db'}",
        engine_kwargs={} if settings.study else {"connect_args": {"timeout": 60}},
    )
    return optuna.create_study(
        study_name=folder.id,
        storage=storage,
        sampler=_PerTrial(experiment.tune, experiment.seed),
        pruner=_pruner(experiment),
        direction=experiment.direction,
        load_if_exists=True,
    )


def release(study: optuna.Study, folder: RunFolder) -> None:
    """Trials that a killed process left behind count as not begun, unless they had ended."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        place = trial_folder(folder, trial.number)
        lines = place.records()
        last: dict[str, Any] = lines[-1] if lines else {"kind": ""}
        if last["kind"] == "finished":
            study.tell(trial.number, last["value"])
            continue
        state = TrialState.PRUNED if last["kind"] == "pruned" else TrialState.FAIL
        study.tell(trial.number, state=state)
        if last["kind"] and last["kind"] not in ENDS:
            place.append("interrupted")


def suggest(trial: Any, experiment: Experiment) -> dict[str, Any]:
    """A value for every searched key; whole numbers where the key takes whole numbers."""
    assert experiment.tune is not None
    values: dict[str, Any] = {}
    for path, space in experiment.tune.search.items():
        if isinstance(space, Choices):
            values[path] = trial.suggest_categorical(path, list(space.choices))
        elif isinstance(experiment.value(path), int):
            values[path] = trial.suggest_int(path, int(space.low), int(space.high), log=space.log)
        else:
            values[path] = trial.suggest_float(path, space.low, space.high, log=space.log)
    return values


class _PerTrial(optuna.samplers.BaseSampler):
    """A fresh sampler for each trial, seeded by its number: a resumed study goes on as it would."""

    def __init__(self, tune: Tune, seed: int) -> None:
        self._tune, self._seed = tune, seed
        self._sampler: optuna.samplers.BaseSampler = self._fresh(0)

    def _fresh(self, number_: int) -> optuna.samplers.BaseSampler:
        seed = numerics.seed_of(self._seed, "trial", number_) % 2**32
        if self._tune.sampler.kind == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        startup = max(1, min(10, self._tune.trials // 3))
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup, constant_liar=True)

    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        self._sampler = self._fresh(trial.number)

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> Any:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(self, study: optuna.Study, trial: Any, search_space: Any) -> Any:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        return self._sampler.sample_independent(study, trial, name, distribution)


def _pruner(experiment: Experiment) -> optuna.pruners.BasePruner:
    assert experiment.tune is not None
    kind = experiment.tune.pruner.kind
    if kind == "hyperband":
        return optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=experiment.train.epochs, reduction_factor=3
        )
    if kind == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1)
    return optuna.pruners.NopPruner()
