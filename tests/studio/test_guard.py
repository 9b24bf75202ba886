"""Nobody without the token, from another page, or by another name gets anything, on any route."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from tests.studio.conftest import HOME, TOKEN, open_client

from pellucid.studio import app as app_module
from pellucid.studio.app import create_app
from pellucid.studio.security.access import Access
from pellucid.studio.security.keeping import lasting_token, secret_file
from pellucid.studio.security.marks import PUBLIC, marked, public
from pellucid.studio.security.origins import allowed_hosts, host_name
from pellucid.studio.state import Settings

PUBLIC_PATHS = {"/login"}
OWN = {"origin": HOME, "sec-fetch-site": "same-origin"}


def every_request(app: FastAPI) -> list[tuple[str, str]]:
    """Method and address of every route there is, and of some that are not there."""
    found = [
        (method, str(route.path).replace("{n}", "0").replace("{", "").replace("}", ""))
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or {"GET"})
    ]
    nowhere = ["/", "/explain", "/assets/x.js", "/favicon.svg", "/api", "/api/", "/api/nothing",
               "/docs", "/redoc", "/openapi.json", "//api/session", "/api/../api/session",
               "/%2e%2e/etc/passwd", "/login/", "/LOGIN"]  # fmt: skip
    odd = [(method, "/api/workspace") for method in ("PUT", "DELETE", "OPTIONS", "HEAD", "TRACE")]
    return found + [("GET", path) for path in nowhere] + odd


def test_there_are_routes_to_try(app: FastAPI) -> None:
    assert len(every_request(app)) > 20
    assert ("GET", "/api/events") in every_request(app)


def test_only_the_login_is_public(app: FastAPI) -> None:
    assert marked(app_module.endpoints(app), PUBLIC) == PUBLIC_PATHS


def test_every_route_refuses_who_has_no_token(app: FastAPI) -> None:
    stranger = open_client(app, token="")
    for method, path in every_request(app):
        reply = stranger.request(method, path, headers=OWN)
        assert reply.status_code == 401, (method, path)
        assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer café".encode("latin-1")},
        {"cookie": "pellucid-8686=wrong"},
        {"cookie": f"pellucid-8687={TOKEN}"},
        {"cookie": "pellucid-8686="},
        {"cookie": "=;;\x01="},
    ],
)
def test_every_route_refuses_a_wrong_token(app: FastAPI, headers: dict[str, str]) -> None:
    stranger = open_client(app, token="")
    for method, path in every_request(app):
        if path not in PUBLIC_PATHS:
            assert stranger.request(method, path, headers=OWN | headers).status_code == 401, path


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8686", "127.0.0.1.evil.example", "localhost@evil", "", "[::1"],
)
def test_every_route_refuses_a_foreign_host(app: FastAPI, host: str) -> None:
    insider = open_client(app)
    for method, path in every_request(app):
        reply = insider.request(method, path, headers={"host": host})
        assert reply.status_code == 403, path
        assert method == "HEAD" or reply.json()["error"]["type"] == "ForeignHost"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8888"},
        {"origin": f"{HOME}.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_every_route_refuses_a_foreign_page(app: FastAPI, headers: dict[str, str]) -> None:
    insider = open_client(app)
    for method, path in every_request(app):
        reply = insider.request(method, path, headers=headers)
        assert reply.status_code == 403, (method, path)


def test_a_link_from_elsewhere_opens_a_page_but_no_part_of_the_api(app: FastAPI) -> None:
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    insider = open_client(app)
    assert insider.get("/runs/x", headers=visit).status_code != 403
    assert insider.get("/api/workspace", headers=visit).status_code == 403
    assert insider.post("/", headers=visit).status_code == 403


def test_a_cookie_alone_does_not_let_a_request_write(client: TestClient, app: FastAPI) -> None:
    browser = open_client(app, token="")
    browser.cookies.set("pellucid-8686", TOKEN)
    assert browser.get("/api/session").status_code == 200
    refused = browser.patch("/api/runs/x", json={})
    assert refused.status_code == 403
    assert "does not tell which page" in refused.json()["error"]["message"]
    assert browser.patch("/api/runs/x", json={}, headers={"origin": HOME}).status_code == 404
    assert browser.patch("/api/runs/x", json={}, headers=OWN).status_code == 404


def test_the_address_opens_the_studio_once(app: FastAPI) -> None:
    login = app.state.studio.access.new_login()
    browser = open_client(app, token="")
    assert browser.get("/login", params={"token": "guessed"}).status_code == 401
    reply = browser.get("/login", params={"token": login})
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("pellucid-8686=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert login not in str(reply.headers)
    assert browser.get("/api/session").status_code == 200
    assert open_client(app, token="").get("/login", params={"token": login}).status_code == 401


def test_a_link_followed_from_another_site_arrives(app: FastAPI) -> None:
    login = app.state.studio.access.new_login()
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    reply = open_client(app, token="").get("/login", params={"token": login}, headers=visit)
    # A redirect would still count as the other site's, and be sent without the strict cookie.
    assert reply.status_code == 200
    assert 'http-equiv="refresh"' in reply.text


def test_a_person_without_a_token_gets_a_page_that_says_what_to_do(app: FastAPI) -> None:
    reply = open_client(app, token="").get("/runs/x", headers={"accept": "text/html,*/*"})
    assert reply.status_code == 401
    assert "pellucid studio" in reply.text


def test_every_answer_is_closed_to_other_pages(app: FastAPI) -> None:
    for client in (open_client(app), open_client(app, token="")):
        for path in ("/api/session", "/", "/login", "/api/nothing", "/assets/x.js"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-eval" not in policy
            assert "script-src 'self' " not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in headers
            assert headers["cache-control"] == "no-store"


def test_read_only_refuses_everything_that_writes(settings: Settings) -> None:
    app = create_app(replace(settings, read_only=True))
    reader = open_client(app)
    assert reader.get("/api/session").json()["read_only"] is True
    assert reader.get("/api/workspace").status_code == 200
    for method, path in every_request(app):
        if method not in ("GET", "HEAD", "OPTIONS"):
            reply = reader.request(method, path)
            assert reply.status_code == 403, path
            assert "for looking only" in reply.json()["error"]["message"]


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_is_too_large_is_not_read(settings: Settings, told: bool) -> None:
    client = open_client(create_app(replace(settings, max_body_bytes=1000)))
    sent = []

    def body():  # type: ignore[no-untyped-def]
        for _ in range(1000):
            sent.append(1)
            yield b" " * 100

    content = b" " * 100_000 if told else body()
    reply = client.patch(
        "/api/runs/x", content=content, headers={"content-type": "application/json"}
    )
    assert reply.status_code == 413
    assert "too large" in reply.json()["error"]["message"]


def test_a_length_that_is_no_number_is_refused(client: TestClient) -> None:
    assert client.patch("/api/runs/x", headers={"content-length": "many"}).status_code == 413


def test_websockets_are_refused(app: FastAPI) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), open_client(app).websocket_connect("/api/events"):
        pass


def test_what_is_unforeseen_is_told_to_the_log_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter()

    @router.get("/api/broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(app_module, "ROUTERS", (router,))
    app = create_app(settings)
    with caplog.at_level(logging.ERROR):
        reply = open_client(app).get("/api/broken", params={"token": TOKEN})
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "a secret of the house" in caplog.text
    assert TOKEN not in caplog.text


def test_a_mark_needs_a_fixed_path() -> None:
    @public
    def endpoint() -> None: ...

    with pytest.raises(ValueError, match="fixed path"):
        marked([("/api/runs/{id}", endpoint)], PUBLIC)


def test_logins_for_many_readers_work_again() -> None:
    access = Access(TOKEN, 8686)
    once, often = access.new_login(), access.new_login(once=False)
    assert [access.spend_login(once) for _ in range(2)] == [True, False]
    assert [access.spend_login(often) for _ in range(3)] == [True] * 3


def test_the_token_never_shows_in_words(settings: Settings) -> None:
    assert TOKEN not in repr(settings)


def test_tokens_outlive_the_server_and_differ_between_studios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    first = lasting_token(tmp_path / "a", 8686)
    assert first == lasting_token(tmp_path / "a", 8686)
    assert len({first, lasting_token(tmp_path / "b", 8686), lasting_token(tmp_path / "a", 1)}) == 3
    assert secret_file().stat().st_mode & 0o777 == 0o600
    secret_file().chmod(0o644)
    assert lasting_token(tmp_path / "a", 8686) != first
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    assert lasting_token(tmp_path / "a", 8686) != lasting_token(tmp_path / "a", 8686)


def test_hosts_are_those_that_the_studio_listens_on() -> None:
    assert allowed_hosts("127.0.0.1") == {"127.0.0.1", "localhost", "::1"}
    assert "lab.example" in allowed_hosts("127.0.0.1", ["Lab.example"])
    assert "10.0.0.7" in allowed_hosts("10.0.0.7")
    assert "0.0.0.0" not in allowed_hosts("0.0.0.0")
    assert host_name("[::1]:8686") == "::1"
    assert host_name("LOCALHOST:1") == "localhost"
    assert host_name("a:b") == host_name("[::1") == ""
