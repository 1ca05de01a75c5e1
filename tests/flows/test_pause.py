"""A schedule that a person paused on its page, and that is started again."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import RNNKIT, ROOT, SMALL, ask_prefect, environment

from flows.schedule import pause
from flows.schedule.pause import NONE, Pause


def deployment(*, paused: bool, active: bool = True) -> Any:
    """A deployment as Prefect's client has it."""
    return SimpleNamespace(paused=paused, schedules=[SimpleNamespace(active=active)])


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("active", [True, False])
def test_without_a_record_prefect_has_what_a_person_chose(
    tmp_path: Path, paused: bool, active: bool
) -> None:
    assert pause.chosen(deployment(paused=paused, active=active), tmp_path) == Pause(
        paused, not active
    )


@pytest.mark.parametrize("before", [True, False])
def test_what_we_paused_ourselves_is_as_it_was_before(tmp_path: Path, before: bool) -> None:
    chosen = pause.chosen(deployment(paused=before), tmp_path)
    pause.keep(chosen, tmp_path)
    for _ in range(3):  # shutting down, starting, and killed in between
        chosen = pause.chosen(deployment(paused=True), tmp_path)
        pause.keep(chosen, tmp_path)
    assert chosen == Pause(before, False)


def test_who_switches_it_on_while_it_is_down_has_chosen_anew(tmp_path: Path) -> None:
    pause.keep(Pause(True, False), tmp_path)
    assert pause.chosen(deployment(paused=False), tmp_path) == NONE


def test_after_it_is_served_the_record_is_gone(tmp_path: Path) -> None:
    pause.keep(Pause(False, False), tmp_path)
    pause.forget(tmp_path)
    pause.forget(tmp_path)
    assert pause.chosen(deployment(paused=True), tmp_path) == Pause(True, False)


@pytest.mark.parametrize("content", ["", "7", "{}", "no json"])
def test_a_damaged_record_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / pause.FILE).write_text(content)
    assert pause.chosen(deployment(paused=True), tmp_path) == Pause(True, False)


class Schedule:
    """The experiment `paused` on a schedule, started and ended by hand."""

    def __init__(self, folder: Path, api: str) -> None:
        self.params, self.screen, self._api = folder / "paused.yaml", folder / "screen", api
        self.params.write_text(SMALL.replace("name: small", "name: paused"))
        self._home = folder / "mlruns"

    @property
    def deployment(self) -> Any:
        """As Prefect's server has it; None before it is served."""
        for deployment in ask_prefect(self._api, "deployments/filter", {}):
            if deployment["name"] == "paused":
                return deployment
        return None

    @contextmanager
    def served(self) -> Iterator[None]:
        """The command, from when it is served to its end."""
        command = [*RNNKIT, "schedule", str(self.params), "--every", "12h"]
        before = self.deployment
        with self.screen.open("w") as screen:
            process = subprocess.Popen(
                [*command, "--mlruns", str(self._home)],
                cwd=ROOT,
                stdout=screen,
                stderr=screen,
                text=True,
                env=environment(PREFECT_API_URL=self._api),
            )
        try:
            until = time.monotonic() + 120
            while not self._is_served(before):
                assert process.poll() is None, self.screen.read_text()
                assert time.monotonic() < until
                time.sleep(0.2)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)

    def _is_served(self, before: Any) -> bool:
        """Whether it was registered anew, and the record of a pause is gone."""
        now = self.deployment
        is_new = now is not None and (before is None or now["updated"] != before["updated"])
        return is_new and not (self._home / "schedules" / "paused" / pause.FILE).exists()

    def switch(self, how: str) -> None:
        """Its switch on the page: `pause` or `resume`."""
        ask_prefect(self._api, f"deployments/{self.deployment['id']}/{how}_deployment", {})


def test_a_pause_made_on_the_page_survives_restarts_until_it_is_switched_on(
    tmp_path: Path, prefect_api: str
) -> None:
    schedule = Schedule(tmp_path, prefect_api)
    with schedule.served():
        assert not schedule.deployment["paused"]
        schedule.switch("pause")
    with schedule.served():
        assert schedule.deployment["paused"]
        assert "It was paused on its page and stays so" in schedule.screen.read_text()
    schedule.switch("resume")
    with schedule.served():
        assert not schedule.deployment["paused"]
        assert "It was paused" not in schedule.screen.read_text()
