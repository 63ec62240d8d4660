"""What it costs to replace a dongle, and quotes that do it (Q8)."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('dongles', '0003_replacements'),
        ('renewals', '0006_reminders'),
    ]

    operations = [
        migrations.AddField(
            model_name='policysettings',
            name='replacement_price',
            field=models.CharField(choices=[('free', 'Free against return; one that does not come back costs the licence price again'), ('fee', 'The fee of the price list'), ('licence', 'The licence price again, without SMA')], default='free', help_text='What it costs that another dongle takes the place of a lost or broken one (Q8). It buys no SMA: what is paid for goes over.', max_length=10),
        ),
        migrations.AddField(
            model_name='pricelist',
            name='replacement_fee',
            field=models.BigIntegerField(blank=True, help_text='For a replaced dongle, where the policy charges the fee of the price list (Q8).', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='quotedongle',
            name='replacement',
            field=models.JSONField(default=dict),
        ),
        migrations.AlterField(
            model_name='quoteline',
            name='kind',
            field=models.CharField(choices=[('licence', 'New licence'), ('upgrade', 'Upgrade'), ('back_pay', 'Back pay'), ('reinstatement_fee', 'Reinstatement fee'), ('sma_year', 'SMA, one year'), ('sma_part', 'SMA, part of a year'), ('replacement', 'Replacement of the dongle')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.CheckConstraint(condition=models.Q(('replacement_fee__isnull', True), ('replacement_fee__gt', 0), _connector='OR'), name='replacement_fee_is_positive'),
        ),
    ]
