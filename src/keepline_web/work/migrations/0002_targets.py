"""What units and people are to reach: rows that are only added."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from keepline_web.frame.append_only import only_added


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
        ("work", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Target",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.CharField(max_length=7)),
                ("measure", models.CharField(max_length=20)),
                ("amount", models.BigIntegerField(null=True)),
                ("set_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="targets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="targets", to="people.unit"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["month", "unit", "person", "measure", "-id"], name="target_last")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("unit__isnull", True), ("person__isnull", True), _connector="XOR"),
                        name="target_of_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__isnull", True), ("amount__gte", 0), _connector="OR"),
                        name="target_not_below_zero",
                    ),
                ],
            },
        ),
        only_added("work_target"),
    ]
