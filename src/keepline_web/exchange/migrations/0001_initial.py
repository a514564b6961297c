"""The first tables of this room."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Arrival",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("publication_id", models.CharField(max_length=64, unique=True)),
                ("month", models.CharField(max_length=7)),
                ("at", models.DateTimeField()),
                ("accounts", models.IntegerField()),
                ("plan_rows", models.IntegerField()),
            ],
            options={
                "ordering": ["-month", "-at"],
            },
        ),
        migrations.CreateModel(
            name="Handing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("person_id", models.BigIntegerField(null=True)),
                ("until", models.DateField()),
                ("files", models.JSONField()),
                ("accepted", models.BooleanField(default=False)),
            ],
        ),
    ]
