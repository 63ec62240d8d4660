"""An index from which reports read the countries that there are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('renewals', '0017_booking_totals'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='monthfigures',
            index=models.Index(fields=['country'], name='month_figures_by_country'),
        ),
    ]
