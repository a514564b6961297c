"""An arrival says how many events it brought; those of before do not, and their events are read once more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0005_taken")]

    operations = [migrations.AddField(model_name="arrival", name="events", field=models.IntegerField(null=True))]
