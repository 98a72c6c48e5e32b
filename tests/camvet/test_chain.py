"""The event log: it holds when nobody touched it, and says where when somebody did."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from camvet.inventory import Inventory, InventoryError, tables
from camvet.inventory.chain import GENESIS

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture
def inventory(tmp_path):
    made = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    for number in range(5):
        made.log(at=NOW, actor="auditor", kind="test.event", subject=f"s{number}", document={"n": number, "ü": "ok"})
    return made


def tamper(inventory, *statements):
    with inventory._writing().begin() as connection:
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER event_no_{verb}"))
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_an_untouched_log_holds_and_names_its_last_digest(inventory):
    count, head, wrong = inventory.verify()
    assert (count, wrong) == (5, None)
    assert head == inventory.events()[-1].digest


def test_an_empty_log_holds(tmp_path):
    assert Inventory.open(f"sqlite:///{tmp_path / 'x.sqlite'}").verify() == (0, GENESIS, None)


@pytest.mark.parametrize(("statement", "held", "word"), [
    ("UPDATE event SET document = '{\"n\":9}' WHERE number = 3", 2, "event 3 was changed"),
    ("UPDATE event SET actor = 'somebody' WHERE number = 1", 0, "event 1 was changed"),
    ("DELETE FROM event WHERE number = 2", 1, "event 2 is missing"),
    ("UPDATE event SET previous = digest WHERE number = 4", 3, "event 4 does not follow"),
])
def test_tampering_is_found_where_it_begins(inventory, statement, held, word):
    tamper(inventory, statement)
    count, _, wrong = inventory.verify()
    assert count == held
    assert word in wrong


def test_a_cut_off_end_is_seen_by_the_noted_digest(inventory):
    noted = inventory.events()[-1].digest
    tamper(inventory, "DELETE FROM event WHERE number = 5")
    count, head, wrong = inventory.verify()
    assert (count, wrong) == (4, None)
    assert head != noted


@pytest.mark.parametrize("statement", ["UPDATE event SET actor = 'x'", "DELETE FROM event"])
def test_the_database_itself_refuses_the_honest_mistake(inventory, statement):
    with pytest.raises(IntegrityError, match="append-only"), inventory._writing().begin() as connection:
        connection.execute(text(statement))


def test_the_schema_of_the_migrations_is_the_schema_of_the_code(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = tables.open_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert differences == []
    assert version == tables.HEAD


@pytest.mark.parametrize("url", ["nonsense://x", "sqlite:////proc/nowhere/x.sqlite"])
def test_a_database_that_cannot_be_used_is_one_line(url):
    with pytest.raises(InventoryError) as caught:
        Inventory.open(url)
    assert "\n" not in str(caught.value)


def test_a_password_in_a_database_url_is_not_repeated():
    with pytest.raises(InventoryError) as caught:
        Inventory.open("nonsense://user:hunter2@host/x")
    assert "hunter2" not in str(caught.value)
