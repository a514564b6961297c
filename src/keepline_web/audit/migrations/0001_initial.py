"""The first tables of this room."""

from django.db import migrations, models

from keepline_web.frame.append_only import only_added


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Head",
            fields=[
                (
                    "stream",
                    models.CharField(
                        choices=[
                            ("sign_in", "Sign In"),
                            ("people", "People"),
                            ("customers", "Customers"),
                            ("work", "Work"),
                            ("decisions", "Decisions"),
                            ("exports", "Exports"),
                            ("exchange", "Exchange"),
                        ],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("seal", models.CharField(max_length=64)),
                ("head_seal", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "stream",
                    models.CharField(
                        choices=[
                            ("sign_in", "Sign In"),
                            ("people", "People"),
                            ("customers", "Customers"),
                            ("work", "Work"),
                            ("decisions", "Decisions"),
                            ("exports", "Exports"),
                            ("exchange", "Exchange"),
                        ],
                        max_length=20,
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("person_id", models.BigIntegerField(null=True)),
                ("person_name", models.CharField(blank=True, max_length=80)),
                ("act", models.CharField(max_length=40)),
                ("object", models.CharField(blank=True, max_length=80)),
                ("detail", models.JSONField(default=dict)),
                ("seal_before", models.CharField(blank=True, max_length=64)),
                ("seal", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["object", "-at"], name="audit_object")],
                "constraints": [models.UniqueConstraint(fields=("stream", "number"), name="audit_one_chain")],
            },
        ),
        only_added("audit_entry"),
    ]
