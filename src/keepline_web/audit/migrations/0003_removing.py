"""What is due may be removed, by one function that wants the audit's entry of it."""

from django.db import migrations

from keepline_web.frame.append_only import FUNCTION, REMOVE


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_key_versions")]

    operations = [
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
        migrations.RunSQL(REMOVE, "DROP FUNCTION keepline_remove_due(text, bigint[], bigint)"),
    ]
