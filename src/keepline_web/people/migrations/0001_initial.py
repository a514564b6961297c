"""The first tables of this room."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("username", models.CharField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=80)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("account_manager", "Account Manager"),
                            ("agent", "Agent"),
                            ("team_lead", "Team Lead"),
                            ("district_chief", "District Chief"),
                            ("city_chief", "City Chief"),
                            ("province_chief", "Province Chief"),
                            ("marketer", "Marketer"),
                            ("campaign_approver", "Campaign Approver"),
                            ("complaint_handler", "Complaint Handler"),
                            ("mall_operator", "Mall Operator"),
                            ("analyst", "Analyst"),
                            ("importer", "Importer"),
                            ("admin", "Admin"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                ("manager_id", models.CharField(max_length=40, null=True, unique=True)),
                ("authority_fen", models.BigIntegerField(null=True)),
                ("language", models.CharField(default="zh", max_length=2)),
                ("theme", models.CharField(default="auto", max_length=5)),
                ("is_active", models.BooleanField(default=True)),
                ("must_change_password", models.BooleanField(default=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("begun_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(auto_now=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, max_length=200)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Unit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("group", "Group"),
                            ("province", "Province"),
                            ("city", "City"),
                            ("district", "District"),
                            ("team", "Team"),
                        ],
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("path", models.CharField(max_length=120, unique=True)),
                (
                    "above",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="below", to="people.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["path"],
            },
        ),
        migrations.AddField(
            model_name="person",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="people", to="people.unit"
            ),
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["path"], name="unit_path", opclasses=["text_pattern_ops"]),
        ),
        migrations.AddConstraint(
            model_name="unit",
            constraint=models.UniqueConstraint(fields=("above", "name"), name="unit_named_once", nulls_distinct=False),
        ),
    ]
