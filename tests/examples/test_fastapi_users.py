"""The FastAPI example on every backend: each request, many at once, and a server that is gone."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from tests import available
from tests.available import BACKENDS, Servers
from tests.chaos.killable import killable
from tests.chaos.test_server_killed import BACKENDS as KILLED
from tests.examples.serving import PATIENCE, connections, served, user

_POOL = 5  # connections that are kept
_AT_ONCE = 100
_ADA = {**user("ada"), "email": "Ada@Example.org", "name": "Ada", "items": [
    {"name": "engine", "price": "1999.90"}, {"name": "notes", "price": "0.50"},
]}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Service:
    """The service, and its database."""

    where: str
    url: str
    log: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.where, timeout=PATIENCE)

    def clients(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=_AT_ONCE)
        return httpx.AsyncClient(base_url=self.where, timeout=PATIENCE, limits=limits)


@pytest.fixture(scope="module", params=BACKENDS)
def service(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """One for all tests on a backend; they use users of their own."""
    found = available.look_for(request.param)
    if isinstance(found, available.Missing):
        complain = pytest.fail if request.param in available.required() else pytest.skip
        complain(f"{request.param} is missing; to get it: {found.hint}")
    folder = tmp_path_factory.mktemp("service")
    name = f"b_{secrets.token_hex(8)}"
    url = URL.create("sqlite", database=str(folder / f"{name}.db"))
    if request.param != "sqlite":
        url = servers.url(request.param).set(drivername=request.param, database=name)
    written = url.render_as_string(hide_password=False)
    with served(written, folder / "log") as where:
        yield Service(where=where, url=written, log=folder / "log")
    assert "Exception in ASGI application" not in (folder / "log").read_text()
    available.drop(url)


def test_a_user_comes_and_goes_with_their_items(service: Service) -> None:
    with service.client() as client:
        before = client.get("/users/count").json()["count"]
        created = client.post("/users", json=_ADA)
        ada = created.json()
        at = f"/users/{ada['id']}"
        again = client.post("/users", json={**_ADA, "username": "another"})
        read = client.get(at)
        listed = client.get("/users", params={"limit": 1, "offset": before})
        counted = client.get("/users/count").json()["count"]
        changed = client.patch(at, json={"name": "Countess", "is_active": False})
        removed = [client.delete(at).status_code for _ in range(2)]
        missing = client.get(at)

    assert (201, 400) == (created.status_code, again.status_code)
    assert ("ada@example.org", "Ada", True) == (ada["email"], ada["name"], ada["is_active"])
    assert [("engine", "1999.90"), ("notes", "0.50")] == [
        (item["name"], item["price"]) for item in ada["items"]
    ]
    assert ada["created_at"].endswith("Z")
    assert not {"password", "hashed_password"} & set(ada)
    assert (ada, [ada], before + 1) == (read.json(), listed.json(), counted)
    assert {**ada, "name": "Countess", "is_active": False} == changed.json()
    assert ([204, 404], 404) == (removed, missing.status_code)


def test_many_are_inserted_or_none(service: Service) -> None:
    with service.client() as client:
        before = client.get("/users/count").json()["count"]
        some = client.post("/users/bulk", json=[user(f"bulk{number}") for number in range(20)])
        none = client.post("/users/bulk", json=[user("bulk20"), user("bulk0")])
        after = client.get("/users/count").json()["count"]

    assert (201, {"count": 20}, 400) == (some.status_code, some.json(), none.status_code)
    assert before + 20 == after


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"username": "x" * 51},
        {"username": ""},
        {"password": "short"},
        {"name": "zero \x00"},
        {"name": None},
        {"email": "\ud800@example.org"},
        {"items": [{"name": "free", "price": "-1"}]},
        {"items": [{"name": "fine", "price": "0.001"}]},
        {"items": [{"name": "dear", "price": "10000000000"}]},
        {"items": [{"name": "none", "price": "NaN"}]},
    ],
    ids=str,
)
def test_bad_input_is_said_and_not_repeated(service: Service, wrong: dict[str, Any]) -> None:
    content = {**user("wrong"), **wrong}
    with service.client() as client:
        answer = client.post(
            "/users", content=json.dumps(content), headers={"content-type": "application/json"}
        )

    assert 422 == answer.status_code, answer.text
    assert not {"short", "nobody"} & set(answer.text.split('"'))


def test_numbers_that_no_row_has(service: Service) -> None:
    with service.client() as client:
        codes = {
            path: client.get(path).status_code
            for path in (
                "/users/999999999",
                "/users/0",
                f"/users/{2**63}",
                "/users?limit=0",
                "/users?limit=101",
                "/users?offset=-1",
                f"/users?offset={2**63 - 1}",
            )
        }

    assert [404, 422, 422, 422, 422, 422, 200] == list(codes.values()), codes


async def test_a_few_hundred_at_once(service: Service) -> None:
    async with service.clients() as client:
        posts = [client.post("/users", json=user(f"crowd{number}")) for number in range(100)]
        same = [client.post("/users", json=user("wanted")) for _ in range(20)]
        pages = [client.get("/users", params={"limit": 100}) for _ in range(100)]
        counts = [client.get("/users/count") for _ in range(80)]
        answers = await asyncio.gather(*posts, *same, *pages, *counts)
    codes = [answer.status_code for answer in answers]

    assert {201} == set(codes[:100])
    assert {201: 1, 400: 19} == Counter(codes[100:120])
    assert {200} == set(codes[120:])
    if not service.url.startswith("sqlite"):
        assert 1 <= connections(service.url) <= _POOL


@dataclass(kw_only=True)
class Traffic:
    """Requests that go on, and how they are answered."""

    client: httpx.AsyncClient
    codes: Counter[tuple[str, int]]
    sent: int = 0

    async def __call__(self) -> None:
        while True:
            self.sent += 1
            name = f"user_{self.sent}"
            writing = await self.client.post("/users", json=user(name))
            self.codes["write", writing.status_code] += 1
            reading = await self.client.get("/users", params={"limit": 5})
            self.codes["read", reading.status_code] += 1

    async def until(self, *wanted: tuple[str, int]) -> None:
        """Goes on until there are new answers of these kinds."""
        before = self.codes.copy()
        async with asyncio.timeout(PATIENCE):
            while any(self.codes[one] < before[one] + 5 for one in wanted):
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("backend_name", KILLED)
async def test_a_server_that_is_restarted_is_a_503_and_no_more(
    backend_name: str, tmp_path: Path
) -> None:
    with killable(backend_name) as server:
        url = server.url.set(drivername=backend_name, database="users_service")
        written = url.render_as_string(hide_password=False)
        with served(written, tmp_path / "log") as where:
            service = Service(where=where, url=written, log=tmp_path / "log")
            async with service.clients() as client:
                traffic = Traffic(client=client, codes=Counter())
                async with asyncio.TaskGroup() as tasks:
                    users = [tasks.create_task(traffic()) for _ in range(20)]
                    for _ in range(2):
                        await traffic.until(("write", 201), ("read", 200))
                        assert server.kill()
                        await traffic.until(("write", 503), ("read", 503))
                        ready, live = await client.get("/ready"), await client.get("/live")
                        assert (503, 200) == (ready.status_code, live.status_code)
                        assert ["the database does not answer"] == ready.json()["reasons"]
                        server.start_again()
                    await traffic.until(("write", 201), ("read", 200))
                    for one in users:
                        one.cancel()
                assert {201, 200, 503} == {code for _, code in traffic.codes}
                assert 200 == (await client.get("/ready")).status_code
                count = (await client.get("/users/count")).json()["count"]
                assert traffic.codes["write", 201] <= count <= traffic.sent
                left = connections(written)

    assert 1 <= left <= _POOL
    assert "Exception in ASGI application" not in (tmp_path / "log").read_text()
