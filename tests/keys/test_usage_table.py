"""Azure's client writes and reads the rows of the usage table, on Azurite."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from proxy import usage_table
from proxy.credential import Token
from proxy.tally import FIELDS, Counts, Tally
from proxy.usage_table import Tokens, UsageTable, table_at
from tests.keys.azurite import Azurite, azurite, connector
from tests.keys.signing import key

pytestmark = pytest.mark.anyio
DAY = 20_785  # 2026-11-28
LARGE = 5_000_000_000  # above 32 bits


@pytest.fixture(scope="module")
def tables() -> Iterator[Azurite]:
    with azurite() as running:
        yield running


@pytest.fixture
async def two(tables: Azurite) -> AsyncIterator[list[UsageTable]]:
    """Two instances' clients of the table."""
    async with AsyncExitStack() as open_:
        instances = [UsageTable(connector(tables.connection_string)) for _ in range(2)]
        for one in instances:
            await open_.enter_async_context(await one.client())
        yield instances


def counted(name: str, *counts: int, day: int = DAY) -> Tally:
    tally = Tally(key(name), day)
    tally.own = Counts(*counts)
    return tally


async def test_each_instance_has_a_row_of_its_own_and_reads_the_others(two: list[UsageTable]) -> None:
    first, second = two
    all_fields = range(LARGE, LARGE + len(FIELDS))
    await first.write(counted("Ada", *all_fields))
    await first.write(counted("Ada", 2, 3))
    await second.write(counted("Ada", *all_fields))
    await second.write(counted("Bob", 9))
    await second.write(counted("Ada", 9, day=DAY + 1))
    assert await first.read(counted("Ada")) == (Counts(2, 3), Counts(*all_fields))
    assert await second.read(counted("Ada")) == (Counts(*all_fields), Counts(2, 3))


async def test_a_row_can_be_read_by_a_person(two: list[UsageTable]) -> None:
    await two[0].write(counted("Grace", 1, 20, 10, 30))
    rows = (await two[0].client()).query_entities("name eq 'Grace'")
    (row,) = [row async for row in rows]
    assert row["PartitionKey"] == "2026-11-28 id-Grace"
    assert (row["requests"].value, row["total_tokens"].value) == (1, 30)


@pytest.mark.parametrize("name", ["it's", "a b", "ü", "' or RowKey ne '", "x&y=%27"])
async def test_no_key_reads_anothers_rows_whatever_it_is_called(two: list[UsageTable], name: str) -> None:
    await two[0].write(counted("Ada", 7))
    await two[0].write(counted(name, 1))
    assert await two[1].read(counted(name)) == (Counts(), Counts(1))


async def test_the_first_owner_of_a_response_stays(two: list[UsageTable], tables: Azurite) -> None:
    first, second = two
    assert await first.owner("digest") is None
    await first.write_owner("digest", "id-Ada")
    await second.write_owner("digest", "id-Bob")
    assert await second.owner("digest") == "id-Ada"


async def test_a_table_that_nobody_made_is_an_error_and_no_missing_row(tables: Azurite) -> None:
    gone = UsageTable(connector(tables.connection_string, "gone"))
    with pytest.raises(Exception, match="TableNotFound"):
        await gone.owner("digest")
    await (await gone.client()).close()


async def test_a_token_never_goes_over_http() -> None:
    with pytest.raises(ValueError, match="HTTPS"):
        table_at("http://127.0.0.1:10002/usage", Tokens(None))


async def test_the_tables_host_cannot_choose_what_its_token_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads the scope from a 401, and asks for a token with this scope."""
    asked = []

    async def new_token(scope: str, client_id: str | None) -> Token:
        asked.append((scope, client_id))
        return Token("a-token", 1_800_000_000.9)

    monkeypatch.setattr(usage_table, "new_token", new_token)
    token = await Tokens("client-id").get_token("https://cognitiveservices.azure.com/.default", tenant_id="x")
    assert (token.token, token.expires_on) == ("a-token", 1_800_000_000)
    assert asked == [("https://storage.azure.com/.default", "client-id")]
