"""Seeds of second factors that lie in the clear are sealed, each for its person."""

from typing import Any

from django.db import migrations

from keepline_web.people import second_factor


def seal(apps: Any, editor: Any) -> None:
    devices = apps.get_model("otp_totp", "TOTPDevice").objects.using(editor.connection.alias)
    for device in devices.exclude(key__contains=second_factor.ROOM).iterator():
        device.key = second_factor.seal(bytes.fromhex(device.key), person_id=device.user_id)
        device.save(update_fields=["key"])


class Migration(migrations.Migration):
    dependencies = [("people", "0004_first_password_until"), ("otp_totp", "0003_add_timestamps")]

    operations = [
        migrations.RunPython(seal),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("otp_totp.totpdevice",),
        ),
    ]
