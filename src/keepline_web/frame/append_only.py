"""Tables whose rows are only added: a trigger keeps every other act from them, whoever asks.

Two acts are let through, and only by the owner of the tables: sealing a sealed column anew when the keys change, and
removing rows that are older than the law asks for, by ``keepline_remove_due``, which wants the audit's entry of it.
"""

from __future__ import annotations

from django.db import connection
from django.db.migrations import RunSQL

KEPT_DAYS_LEAST = 183  # the law's six months; no setting and no caller goes below
RESEALING, REMOVING = "keepline.resealing", "keepline.removing"
FUNCTION = f"""
CREATE OR REPLACE FUNCTION keepline_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before jsonb;
  after jsonb;
  name text;
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('{RESEALING}', true) = 'on' THEN
    before := to_jsonb(OLD);
    after := to_jsonb(NEW);
    FOR name IN SELECT key FROM jsonb_each(before) WHERE key LIKE '%\\_sealed' OR key = 'phone_index' LOOP
      before := before - name;
      after := after - name;
    END LOOP;
    IF before = after THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'DELETE' AND current_setting('{REMOVING}', true) = 'on' THEN
    before := to_jsonb(OLD);
    IF coalesce(before->>'at', before->>'made_at', before->>'asked_at', before->>'set_at')::timestamptz
       < now() - interval '{KEPT_DAYS_LEAST} days' THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'rows of % are only added, never changed or removed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""


REMOVED = "removed_when_due"  # the act under which the audit tells of it
REMOVE = f"""
CREATE OR REPLACE FUNCTION keepline_remove_due(of_table text, ids bigint[], entry bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  gone bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM audit_entry WHERE id = entry AND act = '{REMOVED}' AND at > now() - interval '1 hour'
                 AND (detail->'rows'->>of_table)::bigint >= cardinality(ids)) THEN
    RAISE EXCEPTION 'the audit does not tell that rows of % are removed', of_table USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(of_table))
                 AND tgname = of_table || '_only_added') THEN
    RAISE EXCEPTION '% is no table whose rows are only added', of_table USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM set_config('{REMOVING}', 'on', true);
  EXECUTE format('DELETE FROM %I WHERE id = ANY($1)', of_table) USING ids;
  GET DIAGNOSTICS gone = ROW_COUNT;
  PERFORM set_config('{REMOVING}', '', true);
  RETURN gone;
END $$;
"""


def is_only_added(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_trigger WHERE tgname = %s", [f"{table}_only_added"])
        return cursor.fetchone() is not None


def remove_due_rows(table: str, ids: list[int], entry: int) -> int:
    """Remove rows older than the law asks for, under an entry of the audit that says how many; the number removed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT keepline_remove_due(%s, %s, %s)", [table, ids, entry])
        return int(cursor.fetchone()[0])


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
