"""Events go by kind and number; those of before had mixed contacts and complaints up, and are read anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_answers")]

    operations = [
        migrations.RunSQL("DELETE FROM customers_event", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="event",
            name="event_id",
            field=models.CharField(max_length=80, primary_key=True, serialize=False),
        ),
    ]
