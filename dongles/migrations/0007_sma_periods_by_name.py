"""SMA periods by their name, “SMA periods”, in the back office."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("dongles", "0006_update_feeds")]
    operations = [
        migrations.AlterModelOptions(
            name="smaperiod", options={"ordering": ("starts_on",), "verbose_name": "SMA period"}
        ),
    ]
