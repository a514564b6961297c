"""What publications say of an account's staying, of price and of its circle."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_views_and_looks")]

    operations = [
        migrations.AddField(model_name="standing", name="staying", field=models.JSONField(null=True)),
        migrations.AddField(model_name="standing", name="price", field=models.JSONField(null=True)),
        migrations.AddField(model_name="standing", name="circle", field=models.JSONField(null=True)),
    ]
