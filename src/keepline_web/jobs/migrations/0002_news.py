"""Whether a person has looked at what became of a task."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="seen",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(condition=models.Q(("seen", False)), fields=["person"], name="task_news"),
        ),
    ]
