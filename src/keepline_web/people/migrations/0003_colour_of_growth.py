"""The colour in which what grew is shown, as each likes it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0002_tokens"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="rise",
            field=models.CharField(default="red", max_length=5),
        ),
    ]
