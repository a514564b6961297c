"""Who speaks for an account and what it belongs to: rows that are only added, and the account as it is now."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from keepline_web.frame.append_only import only_added


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="head_id",
            field=models.BigIntegerField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="head_said",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="Affiliation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("head_id", models.BigIntegerField(null=True)),
                ("head_before", models.BigIntegerField(null=True)),
                ("reason", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("on_day", models.DateField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="affiliations", to="customers.account"
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
            ],
        ),
        migrations.CreateModel(
            name="ContactPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("ended", models.BooleanField(default=False)),
                ("role", models.CharField(blank=True, max_length=12)),
                ("name_sealed", models.BinaryField(null=True)),
                ("phone_sealed", models.BinaryField(null=True)),
                ("phone_index", models.CharField(blank=True, db_index=True, max_length=64)),
                ("note_sealed", models.BinaryField(null=True)),
                ("birthday", models.DateField(null=True)),
                ("preferred_channel", models.CharField(blank=True, max_length=20)),
                ("said_as", models.CharField(blank=True, max_length=64)),
                ("said", models.CharField(blank=True, max_length=64)),
                ("at", models.DateTimeField()),
                ("on_day", models.DateField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_persons",
                        to="customers.account",
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
                    "replaces",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="customers.contactperson",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="unmasking",
            name="contact_person",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="unmaskings",
                to="customers.contactperson",
            ),
        ),
        migrations.AddIndex(
            model_name="contactperson",
            index=models.Index(fields=["account", "said_as"], name="contact_person_account"),
        ),
        only_added("customers_contactperson"),
        only_added("customers_affiliation"),
    ]
