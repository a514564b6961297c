"""A chain for what was refused, counts of what is done often, and how far the audit has been sent elsewhere."""

from django.db import migrations, models

STREAMS = [
    ("sign_in", "Sign In"), ("people", "People"), ("customers", "Customers"), ("work", "Work"),
    ("decisions", "Decisions"), ("exports", "Exports"), ("exchange", "Exchange"), ("refusals", "Refusals"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_removing")]

    operations = [
        migrations.AlterField("entry", "stream", models.CharField(choices=STREAMS, max_length=20)),
        migrations.AlterField(
            "head", "stream", models.CharField(choices=STREAMS, max_length=20, primary_key=True, serialize=False)
        ),
        migrations.CreateModel(
            name="Forwarded",
            fields=[
                ("stream", models.CharField(choices=STREAMS, max_length=20, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Doing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("who", models.CharField(max_length=60)),
                ("what", models.CharField(max_length=60)),
                ("began", models.BigIntegerField()),
                ("count", models.IntegerField()),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("who", "what"), name="audit_one_window")]},
        ),
    ]
