"""Until when a first password may be used; those handed out before this get a week from now."""

from django.db import migrations, models

WEEK = "UPDATE people_person SET first_password_until = now() + interval '7 days' WHERE must_change_password"


class Migration(migrations.Migration):
    dependencies = [("people", "0003_colour_of_growth")]

    operations = [
        migrations.AddField("person", "first_password_until", models.DateTimeField(null=True)),
        migrations.RunSQL(WEEK, migrations.RunSQL.noop),
    ]
