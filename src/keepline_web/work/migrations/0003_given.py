"""What a class is owed and was given."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from keepline_web.frame.append_only import only_added


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        ("work", "0002_targets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Given",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("entitlement_id", models.CharField(max_length=60)),
                ("policy_version", models.CharField(max_length=60)),
                ("on_day", models.DateField()),
                ("note", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="given", to="customers.account"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="given", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "entitlement_id", "on_day"], name="given_account")],
            },
        ),
        only_added("work_given"),
    ]
