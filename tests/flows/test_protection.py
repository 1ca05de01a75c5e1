"""Which requests a protected server answers: by Host, Origin and token."""

import base64
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from flows.processes.access_token import TOKEN_VARIABLE, login_of, opening_address, read_token
from flows.processes.protection import FOREIGN, NAMES_VARIABLE, UNKNOWN, protected
from rnnkit.errors import InputError

TOKEN = "0123456789abcdef" * 4
PAGES = "http://127.0.0.1:4200"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def changed(_: Request) -> PlainTextResponse:
    return PlainTextResponse("reached")


async def events(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("reached")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    """A browser or a client of a protected server, as one that has nothing yet."""
    routes = [
        Route("/{path:path}", changed, methods=["GET", "POST", "OPTIONS"]),
        WebSocketRoute("/events", events),
    ]
    return TestClient(protected(Starlette(routes=routes), TOKEN), base_url=PAGES)


def basic(login: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"authorization": f"bearer  {TOKEN}"},
        basic(f"rnnkit:{TOKEN}"),
        basic(f"anyone:{TOKEN}"),
        {**BEARER, "Origin": PAGES},
        {**BEARER, "Host": "localhost:4200"},
        {**BEARER, "Host": "localhost:9000", "Origin": "http://localhost:9000"},  # a tunnel
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_with_the_token_reaches_the_server(
    client: TestClient, method: str, headers: dict[str, str]
) -> None:
    assert client.request(method, "/api", headers=headers, json={}).text == "reached"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**BEARER, "Host": "attacker.example:4200"}, 400),
        ({**BEARER, "Host": "127.0.0.1.attacker.example"}, 400),
        ({**BEARER, "Host": "192.168.0.7:4200"}, 400),
        ({**BEARER, "Origin": "http://attacker.example"}, 403),
        ({**BEARER, "Origin": "http://127.0.0.1:8888"}, 403),
        ({**BEARER, "Origin": "http://localhost:4200"}, 403),
        ({**BEARER, "Origin": "https://127.0.0.1:4200"}, 403),
        ({**BEARER, "Origin": "null"}, 403),
        ({}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"Authorization": f"Digest {TOKEN}"}, 401),
        ({"Authorization": "Basic no-base64"}, 401),
        ({"Authorization": "Basic /w=="}, 401),
        (basic(f"{TOKEN}:rnnkit"), 401),
        ({"Cookie": f"rnnkit={TOKEN}"}, 401),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/health"), ("POST", "/api"), ("OPTIONS", "/api"), ("GET", "/?token=0")],
)
def test_any_other_request_is_refused(
    client: TestClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.request(method, path, headers=headers, follow_redirects=False)
    assert answer.status_code == status
    assert answer.text == {400: "Invalid host header", 401: UNKNOWN, 403: FOREIGN}[status]
    assert not client.cookies


def test_a_browser_keeps_the_token_of_the_address_that_opens_the_pages(client: TestClient) -> None:
    answer = client.get(f"/runs?page=2&token={TOKEN}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGES}/runs?page=2")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/runs").text == "reached"
    assert client.post("/api", headers={"Origin": PAGES}).text == "reached"
    assert client.post("/api", headers={"Origin": "http://127.0.0.1:1"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({**BEARER, "Origin": "http://attacker.example"}, 403),
        ({**BEARER, "Host": "attacker.example"}, 400),
    ],
)
def test_a_websocket_is_refused_likewise(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    here = {"Host": "127.0.0.1:4200"}
    with client.websocket_connect("/events", headers={**here, **BEARER}) as socket:
        assert socket.receive_text() == "reached"
    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        client.websocket_connect("/events", headers={**here, **headers}),
    ):
        """It does not come to this."""
    assert refusal.value.status_code == status


def test_the_token_is_made_once_and_again_where_it_is_damaged(tmp_path: Path) -> None:
    token = read_token(tmp_path)
    assert read_token(tmp_path) == token
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert login_of(tmp_path) == f"rnnkit:{token}"
    assert opening_address(tmp_path, "http://127.0.0.1:1") == f"http://127.0.0.1:1/?token={token}"
    (tmp_path / "token").chmod(0o644)
    for damaged in (b"", token.encode()[:40], b"\xff" * 64):
        (tmp_path / "token").write_bytes(damaged)
        assert read_token(tmp_path) not in ("", token)
        assert read_token(tmp_path) == read_token(tmp_path)
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600


def test_names_of_the_command_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rnnkit up --host 0.0.0.0 --name pages.example`."""
    monkeypatch.setenv(NAMES_VARIABLE, "pages.example,192.168.0.7")
    app = protected(Starlette(routes=[Route("/", changed, methods=["GET", "POST"])]), TOKEN)
    client = TestClient(app, base_url="http://pages.example:4200")
    assert client.get("/", headers=BEARER).text == "reached"
    assert client.get("/", headers={**BEARER, "Host": "192.168.0.7"}).text == "reached"
    assert client.get("/", headers={**BEARER, "Host": "localhost:4200"}).text == "reached"
    assert client.get("/", headers={**BEARER, "Host": "other.example"}).status_code == 400
    assert client.get("/").status_code == 401
    own = {**BEARER, "Origin": "http://pages.example:4200"}
    assert client.post("/", headers=own).text == "reached"
    foreign = {**BEARER, "Origin": "http://pages.example:80"}
    assert client.post("/", headers=foreign).status_code == 403


def test_a_proxy_that_ends_tls_has_pages_of_its_own_scheme(client: TestClient) -> None:
    behind = {**BEARER, "X-Forwarded-Proto": "https"}
    assert client.post("/", headers={**behind, "Origin": PAGES}).status_code == 403
    secure = PAGES.replace("http:", "https:")
    assert client.post("/", headers={**behind, "Origin": secure}).text == "reached"
    assert client.post("/", headers={**behind, "Origin": "https://b.example"}).status_code == 403


def test_a_token_that_several_machines_share_comes_from_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "a" * 32)
    assert login_of(tmp_path) == f"rnnkit:{'a' * 32}"
    assert not (tmp_path / "token").exists()
    for wrong in ("short", f"{'a' * 32} b", f"{'a' * 40}@host"):
        monkeypatch.setenv(TOKEN_VARIABLE, wrong)
        with pytest.raises(InputError, match="RNNKIT_TOKEN: a token has at least 32 letters") as no:
            read_token(tmp_path)
        assert wrong not in str(no.value)
