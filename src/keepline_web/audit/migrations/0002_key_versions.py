"""Entries say which key they are sealed with; a chain may begin where its first links were removed when due."""

from django.db import migrations, models

from keepline_web.frame.append_only import FUNCTION


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.AddField("entry", "key_version", models.SmallIntegerField(default=1, db_default=1)),
        migrations.AddField("head", "cut_number", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddField("head", "cut_seal", models.CharField(blank=True, default="", db_default="", max_length=64)),
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
    ]
