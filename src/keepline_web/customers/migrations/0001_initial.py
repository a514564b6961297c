"""The first tables of this room."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import keepline_web.customers.models
from keepline_web.frame.append_only import only_added


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("customer_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("kind", models.CharField(blank=True, max_length=12)),
                ("industry", models.CharField(blank=True, max_length=40)),
                ("region", models.CharField(blank=True, max_length=40)),
                ("district", models.CharField(blank=True, max_length=40)),
                ("name_sealed", models.BinaryField(null=True)),
                ("number_sealed", models.BinaryField(null=True)),
                ("phone_sealed", models.BinaryField(null=True)),
                ("phone_index", models.CharField(blank=True, db_index=True, max_length=64)),
                ("joined_on", models.DateField(null=True)),
                ("birthday", models.DateField(null=True)),
                ("consent", models.BooleanField(null=True)),
                ("blacklisted", models.BooleanField(null=True)),
                ("preferred_channel", models.CharField(blank=True, max_length=20)),
                ("contact_gap_days", models.IntegerField(null=True)),
                ("manager_said", models.CharField(blank=True, max_length=40)),
                ("last_month", models.CharField(max_length=7)),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="people.unit",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("event_id", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("happened_on", models.DateField()),
                ("channel", models.CharField(blank=True, max_length=20)),
                ("direction", models.CharField(blank=True, max_length=3)),
                ("about", models.CharField(blank=True, max_length=40)),
                ("closed_on", models.DateField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="customers.account"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                ("line_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("product", models.CharField(blank=True, max_length=12)),
                ("plan_name", models.CharField(blank=True, max_length=80)),
                ("price_fen", models.BigIntegerField(null=True)),
                ("status", models.CharField(blank=True, max_length=14)),
                ("started_on", models.DateField(null=True)),
                ("contract_end_on", models.DateField(null=True)),
                ("ended_on", models.DateField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="held", to="customers.account"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                ("reason", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="customers.account"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["person", "ends_on"], name="assignment_person")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__isnull", True), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                        ),
                        name="assignment_ends_later",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            (keepline_web.customers.models.OnlyRange("account_id", "account_id"), "&&"),
                            (
                                keepline_web.customers.models.DateRange(
                                    "starts_on", "ends_on", django.contrib.postgres.fields.ranges.RangeBoundary()
                                ),
                                "&&",
                            ),
                        ],
                        name="one_owner_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Cover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("reason", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("ended_early_on", models.DateField(null=True)),
                (
                    "away",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="covers", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "covered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="covering",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gt", models.F("starts_on"))), name="cover_ends_later"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("away", models.F("covered_by")), _negated=True), name="cover_by_another"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MonthPaid",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.CharField(max_length=7)),
                ("revenue_fen", models.BigIntegerField(null=True)),
                ("recurring_fen", models.BigIntegerField(null=True)),
                ("discount_fen", models.BigIntegerField(null=True)),
                ("voice_s", models.BigIntegerField(null=True)),
                ("data_kb", models.BigIntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="months", to="customers.account"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "month"), name="month_once")],
            },
        ),
        migrations.CreateModel(
            name="PlanRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.CharField(max_length=7)),
                ("offer_id", models.CharField(max_length=60)),
                ("name", models.JSONField()),
                ("channel", models.CharField(max_length=20)),
                ("purpose", models.CharField(max_length=10)),
                ("gain_fen", models.BigIntegerField(null=True)),
                ("cost_fen", models.BigIntegerField(null=True)),
                ("price_fen", models.BigIntegerField()),
                ("list_price_fen", models.BigIntegerField()),
                ("floor_price_fen", models.BigIntegerField()),
                ("unit_cost_fen", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plan_rows", to="customers.account"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "month"), name="plan_row_once")],
            },
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.CharField(max_length=7)),
                ("class_code", models.CharField(max_length=12)),
                ("previous_class", models.CharField(blank=True, max_length=12)),
                ("move", models.CharField(blank=True, max_length=6)),
                ("class_reason", models.JSONField()),
                ("star_rating", models.CharField(blank=True, max_length=20)),
                ("value_fen", models.BigIntegerField(null=True)),
                ("value_low_fen", models.BigIntegerField(null=True)),
                ("value_high_fen", models.BigIntegerField(null=True)),
                ("persistence_fen", models.BigIntegerField(null=True)),
                ("growth_fen", models.BigIntegerField(null=True)),
                ("word_of_mouth_fen", models.BigIntegerField(null=True)),
                ("loyalty", models.CharField(max_length=10)),
                ("loyalty_kind", models.CharField(max_length=12)),
                ("risk_band", models.CharField(max_length=8)),
                ("risks", models.JSONField()),
                ("facts", models.JSONField()),
                ("state", models.CharField(max_length=20)),
                ("state_words", models.JSONField(null=True)),
                ("tenure_months", models.IntegerField(null=True)),
                ("revenue_fen", models.BigIntegerField(null=True)),
                ("revenue_3m_fen", models.BigIntegerField(null=True)),
                ("revenue_12m_fen", models.BigIntegerField(null=True)),
                ("revenue_change", models.FloatField(null=True)),
                ("margin_3m_fen", models.BigIntegerField(null=True)),
                ("margin_12m_fen", models.BigIntegerField(null=True)),
                ("discount_3m_fen", models.BigIntegerField(null=True)),
                ("voice_change", models.FloatField(null=True)),
                ("data_change", models.FloatField(null=True)),
                ("complaints_3m", models.IntegerField(null=True)),
                ("complaints_open", models.IntegerField(null=True)),
                ("days_since_contact", models.IntegerField(null=True)),
                ("arrears_fen", models.BigIntegerField(null=True)),
                ("arrears_months", models.IntegerField(null=True)),
                ("lines", models.IntegerField(null=True)),
                ("products", models.IntegerField(null=True)),
                ("contract_months_left", models.IntegerField(null=True)),
                ("satisfaction", models.FloatField(null=True)),
                ("recommend", models.FloatField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="standings", to="customers.account"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["month", "class_code"], name="standing_month")],
                "constraints": [models.UniqueConstraint(fields=("account", "month"), name="standing_once")],
            },
        ),
        migrations.CreateModel(
            name="Unmasking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("on_day", models.DateField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="unmaskings", to="customers.account"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unmaskings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["person", "on_day"], name="unmasking_day")],
            },
        ),
        only_added("customers_unmasking"),
    ]
