"""Lines remember the handing that took them in; those of before go out once more, which changes nothing."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0004_undoings")]

    operations = [
        migrations.CreateModel(
            name="Taken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=12)),
                ("line", models.BigIntegerField()),
                (
                    "handing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="taken", to="exchange.handing"
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("kind", "line"), name="taken_once")]},
        ),
    ]
