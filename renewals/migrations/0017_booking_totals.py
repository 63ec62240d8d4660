"""The sums by month of booking and month once more, of everything in a currency."""

from django.db import migrations, models

FILL = """
INSERT INTO renewals_bookingtotals (booked_month, month, currency, recognised, caught_up)
SELECT booked_month, month, currency, sum(recognised), sum(caught_up)
FROM renewals_bookingfigures GROUP BY booked_month, month, currency
"""


class Migration(migrations.Migration):

    dependencies = [
        ('renewals', '0016_journal'),
    ]

    operations = [
        migrations.CreateModel(
            name='BookingTotals',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('booked_month', models.DateField()),
                ('month', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('recognised', models.BigIntegerField(default=0)),
                ('caught_up', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('currency', 'month', 'booked_month'), name='booking_totals_once')],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
