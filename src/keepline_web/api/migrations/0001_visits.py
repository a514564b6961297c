"""Counts of visits, in a table that is not logged: they are written at every request and nobody misses them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Visits",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=60)),
                ("since", models.DateTimeField()),
                ("number", models.IntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["subject", "since"], name="visits_once")],
                "indexes": [models.Index(fields=["since"], name="visits_since")],
            },
        ),
        migrations.RunSQL("ALTER TABLE api_visits SET UNLOGGED", "ALTER TABLE api_visits SET LOGGED"),
    ]
