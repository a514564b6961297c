"""What the month page shows: the aggregates of each publication."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="arrival",
            name="figures",
            field=models.JSONField(default=dict),
        ),
    ]
