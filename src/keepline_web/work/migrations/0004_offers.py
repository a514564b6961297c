"""An approved offer has a last day and is taken up once; what was approved before holds thirty days."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

BEFORE = """
ALTER TABLE work_ruling DISABLE TRIGGER work_ruling_only_added;
UPDATE work_ruling SET last_on = on_day + 30 WHERE what = 'approved';
ALTER TABLE work_ruling ENABLE TRIGGER work_ruling_only_added;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0003_given"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="proposal",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="work.proposal",
            ),
        ),
        migrations.AddField(model_name="ruling", name="level", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="ruling", name="last_on", field=models.DateField(null=True)),
        migrations.AddIndex(
            model_name="ruling",
            index=models.Index(fields=["person", "what", "on_day"], name="ruling_person_day"),
        ),
        migrations.RunSQL(BEFORE, migrations.RunSQL.noop),
    ]
