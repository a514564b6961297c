"""Tables whose rows are only added: a trigger keeps every other act from them, whoever asks.

Two acts are let through, and only by the owner of the tables: sealing a sealed column anew when the keys change, and
removing rows that are older than the law asks for, by ``keepline_remove_due``, which wants the audit's entry of it.
"""

from __future__ import annotations

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
