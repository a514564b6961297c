"""A publication that another one replaced may take its place back, and then comes in once more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0006_events_told")]

    operations = [
        migrations.AlterField(
            model_name="arrival",
            name="publication_id",
            field=models.CharField(max_length=64),
        ),
    ]
