"""Runs the migrations on the engine that `camvet.inventory.tables` hands over."""

from alembic import context

from camvet.inventory.tables import metadata

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
