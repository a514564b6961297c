"""Loads asked to be undone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0003_uploads"),
        ("jobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Undoing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("load", models.IntegerField()),
                ("name", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=200)),
                ("accept", models.JSONField(default=list)),
                ("foreseen", models.JSONField()),
                ("result", models.JSONField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="jobs.task"
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["load", "-id"], name="undoing_load")]},
        ),
    ]
