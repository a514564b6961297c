"""Tables whose rows are only added: a trigger keeps every other act from them, whoever asks."""

from __future__ import annotations

from django.db.migrations import RunSQL

FUNCTION = """
CREATE OR REPLACE FUNCTION keepline_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only added, never changed or removed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""


def only_added(table: str) -> RunSQL:
    """No row of the table is changed or removed any more."""
    return RunSQL(
        FUNCTION
        + f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE ON {table} "
        + "FOR EACH ROW EXECUTE FUNCTION keepline_only_added();"
        + f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
        + "FOR EACH STATEMENT EXECUTE FUNCTION keepline_only_added();",
        f"DROP TRIGGER {table}_only_added ON {table}; DROP TRIGGER {table}_never_emptied ON {table};",
    )
