"""Update feeds, whose addresses can be made anew; a release has one file for each platform."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dongles", "0005_products_and_releases")]
    operations = [
        migrations.AddField(
            model_name="dongle",
            name="feed_generation",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddConstraint(
            model_name="releasefile",
            constraint=models.UniqueConstraint(
                fields=("release", "platform"), name="release_file_once_per_platform"
            ),
        ),
    ]
