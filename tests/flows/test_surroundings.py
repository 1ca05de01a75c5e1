"""What the environment and the place of the output folder may be: proxies, Prefect's and MLflow's
own variables, a `?` in a path, MLflow's database of another version."""

import http.server
import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command import RNNKIT, SMALL, called

from flows import settings as places
from flows.cli.runs import clean, find_model
from flows.cli.tracking import register, sync
from flows.launcher import Failure
from flows.processes import servers
from flows.tracking.locations import HOME, update_locations
from rnnkit.runtime.files import write_manifest

NOBODY = "127.0.0.1:9"  # an address of this machine at which nothing listens


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"no_proxy": "a.example"}, "a.example,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "localhost, a.example"}, "localhost,a.example,127.0.0.1,::1"),
    ],
)
def test_no_proxy_names_this_machine(tmp_path, monkeypatch, before, after):
    environment = {"PREFECT_HOME": str(tmp_path), **before}
    monkeypatch.setattr(places.os, "environ", environment)
    places.apply(places.read(tmp_path / "mlruns"))
    assert environment["no_proxy"] == environment["NO_PROXY"] == after


def test_no_proxy_at_all_stays(tmp_path, monkeypatch):
    environment = {"NO_PROXY": "*"}
    monkeypatch.setattr(places.os, "environ", environment)
    places.apply(places.read(tmp_path / "mlruns"))
    assert environment["NO_PROXY"] == "*"
    assert "no_proxy" not in environment


def test_whether_a_server_answers_is_asked_without_a_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://{NOBODY}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server = http.server.HTTPServer((servers.HOST, 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert servers.answers(f"http://{servers.HOST}:{server.server_port}/", "anna:secret")
    finally:
        server.shutdown()
        server.server_close()


def test_the_clients_password_is_that_of_the_server(tmp_path, monkeypatch):
    environment = {"PREFECT_SERVER_API_AUTH_STRING": "anna:secret"}
    monkeypatch.setattr(places.os, "environ", environment)
    places.apply(places.read(tmp_path / "mlruns"))
    assert environment["PREFECT_API_AUTH_STRING"] == "anna:secret"


def test_a_server_gets_none_of_the_variables_of_the_users_own_servers(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(servers, "Server", lambda *given: started.append(given[5]))
    settings = places.read(tmp_path / "mlruns")
    servers.prefect_for_a_command(settings)
    servers.prefect_with_pages(settings, 1)
    servers.mlflow_pages(settings, 1)
    assert [environment.get("PREFECT_SERVER_API_BASE_PATH", "") for environment in started] == [
        None,
        None,
        "",
    ]
    assert started[-1]["MLFLOW_STATIC_PREFIX"] is None


def test_a_run_with_proxies_and_variables_of_another_prefect_in_a_folder_with_a_question_mark(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "why?"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    ran = called(
        *[*RNNKIT, "run", folder / "small.yaml", "--json", "--mlruns", folder / "mlruns"],
        http_proxy=f"http://{NOBODY}",
        all_proxy=f"socks5://{NOBODY}",
        no_proxy="",
        PREFECT_SERVER_API_BASE_PATH="/elsewhere",
        PREFECT_SERVER_API_AUTH_STRING="anna:secret",
    )
    assert ran.returncode == 0, ran.stderr
    home = folder / "mlruns"
    assert json.loads(ran.stdout)["folder"] == str(next(home.glob("runs/*")))
    assert "MLflow could not be reached" not in ran.stderr + ran.stdout
    assert {path.name for path in folder.rglob("*.db")} == {"mlflow.db", "prefect.db"}
    assert [path.name for path in tmp_path.iterdir()] == ["why?"]


@pytest.fixture(scope="session")
def other_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a finished run, and with MLflow's database of another version."""
    from flows.tracking.registry import Registry

    home: Path = tmp_path_factory.mktemp("other") / "mlruns"
    run = home / "runs" / "small-1"
    run.mkdir(parents=True)
    (run / "params.yaml").write_text(SMALL)
    write_manifest(run, names=None)
    made = places.read(home.with_name("made"))  # a process checks a database's version once
    _ = Registry(made).client.search_experiments()
    (made.home / "mlflow.db").rename(home / "mlflow.db")
    with closing(sqlite3.connect(home / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        database.commit()
    return home


@pytest.mark.parametrize(
    "verb",
    [
        lambda home: register("small-1", False, home),
        lambda home: clean("30d", False, home),
        lambda home: sync(home, False),
        lambda home: find_model(places.read(home), "models:/small@champion"),
    ],
    ids=["register", "clean", "sync", "predict"],
)
def test_a_database_of_another_version_is_told_in_one_line(
    other_version: Path, monkeypatch: pytest.MonkeyPatch, verb: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(places, "apply", lambda _: None)  # else it would be for all tests
    told = (
        r"^MLflow could not be reached: Detected out-of-date database schema .*ffffffffffff[^\n]*$"
    )
    with pytest.raises(Failure, match=told):
        verb(other_version)


def test_a_moved_folder_is_found_where_it_is_and_the_old_one_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.tracking.mirror import Tracker

    before, after = tmp_path / "be fore", tmp_path / "after"
    old = Tracker(places.read(before))
    number = old.experiment("small")
    run = old.client.create_run(number, tags={HOME: old.here})
    old.client.log_text(run.info.run_id, "here", "note.txt")
    before.rename(after)
    moved = Tracker(places.read(after))
    found = moved.client.get_run(run.info.run_id)
    assert found.info.artifact_uri.startswith(f"{after.as_uri()}/artifacts/small/")
    assert found.data.tags[HOME] == moved.here
    more = moved.client.create_run(moved.experiment("small"))
    moved.client.log_text(more.info.run_id, "there", "more.txt")
    assert {path.name for path in after.rglob("*.txt")} == {"note.txt", "more.txt"}
    assert not before.exists()


def test_locations_that_are_not_in_an_output_folder_stay(tmp_path: Path) -> None:
    """Such as those of an experiment that a person made, with artifacts on another disk."""
    from flows.tracking.registry import Registry

    settings = places.read(tmp_path / "mlruns")
    elsewhere = (tmp_path / "disk").as_uri()
    client = Registry(settings).client
    client.create_experiment("by hand", artifact_location=elsewhere)
    update_locations(settings)
    assert client.get_experiment_by_name("by hand").artifact_location == elsewhere
