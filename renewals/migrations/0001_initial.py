import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import renewals.states
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('dongles', '0001_initial'),
        ('portal', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PolicySettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField(unique=True)),
                ('part_month', models.CharField(choices=[('exact', 'Exact: days of the month begun'), ('whole', 'Whole: a month begun counts')], default='exact', max_length=10)),
                ('missed_majors', models.CharField(choices=[('once', 'One upgrade, however many were missed'), ('each', 'An upgrade for each that was missed')], default='once', max_length=10)),
                ('upgrade_includes_months', models.PositiveSmallIntegerField(default=12, validators=[django.core.validators.MaxValueValidator(120)])),
                ('upgrade_cap', models.DecimalField(blank=True, decimal_places=4, default=1, max_digits=8, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('multi_year_discount', models.JSONField(blank=True, default=dict, help_text='Number of years → rate, e.g. {"3": "0.05"}')),
                ('max_years', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)])),
                ('align_min_months', models.PositiveSmallIntegerField(default=3)),
                ('back_pay', models.BooleanField(default=False)),
                ('reinstatement_fee', models.DecimalField(decimal_places=4, default=0, max_digits=5, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ('grace_days', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(90)])),
                ('quote_valid_days', models.PositiveSmallIntegerField(default=30)),
                ('straddle', models.CharField(choices=[('honour', 'Honour the quote'), ('requote', 'Quote again')], default='honour', max_length=10)),
                ('bridge_days', models.PositiveSmallIntegerField(default=30)),
                ('discount_limits', models.JSONField(blank=True, default=dict, help_text='Role → highest negotiated rate without approval, e.g. {"sales": "0.1"}')),
            ],
            options={
                'verbose_name_plural': 'policy settings',
                'constraints': [models.CheckConstraint(condition=models.Q(('grace_days__lte', 90)), name='grace_days_at_most_90'), models.CheckConstraint(condition=models.Q(('reinstatement_fee__range', (0, 1)), models.Q(('upgrade_cap__isnull', True), ('upgrade_cap__gte', 0), _connector='OR')), name='policy_rates_are_rates')],
            },
        ),
        migrations.CreateModel(
            name='PriceList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('currency', models.CharField(max_length=3)),
                ('segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('valid_from', models.DateField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('currency', 'segment', 'valid_from'), name='one_price_list_a_day_and_segment')],
            },
        ),
        migrations.CreateModel(
            name='Quote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField()),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='portal.customer')),
            ],
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('accepted', 'Accepted'), ('fulfilled', 'Fulfilled'), ('cancelled', 'Cancelled')], max_length=20)),
                ('purchase_order_number', models.CharField(blank=True, max_length=80)),
                ('accepted_by', models.CharField(max_length=200)),
                ('accepted_on', models.DateField()),
                ('paid_on', models.DateField(null=True)),
                ('fulfilled_on', models.DateField(null=True)),
                ('cancelled_from', models.DateField(null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='portal.customer')),
                ('quote', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='order', to='renewals.quote')),
            ],
        ),
        migrations.CreateModel(
            name='QuoteDongle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('renew_years', models.PositiveSmallIntegerField(null=True)),
                ('align_to', models.DateField(null=True)),
                ('added', models.JSONField(default=list)),
                ('paid_through', models.DateField(null=True)),
                ('covered_through', models.DateField()),
                ('fingerprint', models.CharField(max_length=64)),
                ('licences', models.JSONField()),
                ('net', models.BigIntegerField()),
                ('dongle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quoted', to='dongles.dongle')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='QuoteLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('licence', 'New licence'), ('upgrade', 'Upgrade'), ('back_pay', 'Back pay'), ('reinstatement_fee', 'Reinstatement fee'), ('sma_year', 'SMA, one year'), ('sma_part', 'SMA, part of a year')], max_length=20)),
                ('licence_index', models.PositiveSmallIntegerField()),
                ('seats', models.PositiveIntegerField()),
                ('starts_on', models.DateField(null=True)),
                ('ends_on', models.DateField(null=True)),
                ('months', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), size=3)),
                ('list_amount', models.BigIntegerField()),
                ('discounts', models.JSONField()),
                ('net', models.BigIntegerField()),
                ('sma_net', models.BigIntegerField()),
                ('rules', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=4), size=None)),
                ('steps', models.JSONField()),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
                ('quoted', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='renewals.quotedongle')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='OrderLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('free_days', models.PositiveIntegerField(default=0)),
                ('net', models.BigIntegerField()),
                ('licence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='order_lines', to='dongles.licence')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='renewals.order')),
                ('period', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='order_line', to='dongles.smaperiod')),
                ('quote_line', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sold', to='renewals.quoteline')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='QuoteVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('sent', 'Sent'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('superseded', 'Superseded')], default=renewals.states.QuoteState['DRAFT'], max_length=20)),
                ('priced_on', models.DateField()),
                ('valid_until', models.DateField(blank=True, null=True)),
                ('currency', models.CharField(max_length=3)),
                ('discount', models.DecimalField(decimal_places=4, default=0, max_digits=5)),
                ('discount_reason', models.CharField(blank=True, max_length=250)),
                ('note', models.TextField(blank=True)),
                ('tax_rate', models.DecimalField(decimal_places=5, default=0, max_digits=6)),
                ('net', models.BigIntegerField()),
                ('tax', models.BigIntegerField()),
                ('total', models.BigIntegerField()),
                ('needs_approval', models.BooleanField(default=False)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drafted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='renewals.policysettings')),
                ('price_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='renewals.pricelist')),
                ('quote', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='renewals.quote')),
            ],
            options={
                'ordering': ('quote_id', 'number'),
            },
        ),
        migrations.AddField(
            model_name='quotedongle',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dongles', to='renewals.quoteversion'),
        ),
        migrations.AddField(
            model_name='order',
            name='version',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='order', to='renewals.quoteversion'),
        ),
        migrations.CreateModel(
            name='RevenueSegment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField()),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('method', models.CharField(choices=[('daily', 'By day'), ('at_once', 'At once')], max_length=10)),
                ('booked_month', models.DateField(help_text='The first day of the month of booking')),
                ('reason', models.CharField(choices=[('sale', 'Sale'), ('cancellation', 'Cancellation'), ('annulment', 'Annulment')], max_length=20)),
                ('basis_amount', models.BigIntegerField()),
                ('basis_starts_on', models.DateField()),
                ('mirrors', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mirrored_by', to='renewals.revenuesegment')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='segments', to='renewals.orderline')),
            ],
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('tax_status', models.CharField(choices=[('standard', 'Standard'), ('reverse_charge', 'Reverse charge'), ('exempt', 'Exempt')], max_length=20)),
                ('rate', models.DecimalField(decimal_places=5, max_digits=6, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ('valid_from', models.DateField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('country', 'tax_status', 'valid_from'), name='one_tax_rate_a_day'), models.CheckConstraint(condition=models.Q(('rate__range', (0, 1))), name='tax_rate_is_a_rate')],
            },
        ),
        migrations.CreateModel(
            name='PriceListEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('licence', models.BigIntegerField()),
                ('sma_year', models.BigIntegerField()),
                ('upgrade', models.BigIntegerField()),
                ('licence_alone', models.BigIntegerField(blank=True, null=True)),
                ('upgrade_alone', models.BigIntegerField(blank=True, null=True)),
                ('price_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='renewals.pricelist')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='dongles.product')),
            ],
            options={
                'verbose_name_plural': 'price list entries',
                'constraints': [models.UniqueConstraint(fields=('price_list', 'product'), name='one_price_per_product'), models.CheckConstraint(condition=models.Q(('licence__gte', 0), ('sma_year__gte', 0), models.Q(('licence_alone__isnull', True), ('licence_alone__gte', 0), _connector='OR'), models.Q(('upgrade_alone__isnull', True), ('upgrade_alone__gte', 0), _connector='OR')), name='prices_are_not_negative'), models.CheckConstraint(condition=models.Q(('upgrade__gt', models.F('sma_year'))), name='upgrade_costs_more_than_an_sma_year', violation_error_message='An upgrade must cost more than the SMA year that it includes.')],
            },
        ),
        migrations.AddConstraint(
            model_name='quoteline',
            constraint=models.CheckConstraint(condition=models.Q(('list_amount__gte', 0), ('net__gte', 0), ('sma_net__gte', 0), ('sma_net__lte', models.F('net'))), name='quote_line_amounts_are_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('net__gte', 0)), name='order_line_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='quoteversion',
            constraint=models.UniqueConstraint(fields=('quote', 'number'), name='quote_version_number_given_once'),
        ),
        migrations.AddConstraint(
            model_name='quoteversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'sent')), fields=('quote',), name='one_sent_version_a_quote'),
        ),
        migrations.AddConstraint(
            model_name='quoteversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('quote',), name='one_draft_a_quote'),
        ),
        migrations.AddConstraint(
            model_name='quoteversion',
            constraint=models.CheckConstraint(condition=models.Q(('net__gte', 0), ('tax__gte', 0), ('total', django.db.models.expressions.CombinedExpression(models.F('net'), '+', models.F('tax')))), name='quote_amounts_are_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='quoteversion',
            constraint=models.CheckConstraint(condition=models.Q(('discount__range', (0, 1))), name='quote_discount_is_a_rate'),
        ),
        migrations.AddConstraint(
            model_name='quoteversion',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'draft'), ('state', 'superseded'), ('valid_until__isnull', False), _connector='OR'), name='sent_quotes_have_a_last_day'),
        ),
        migrations.AddConstraint(
            model_name='quotedongle',
            constraint=models.UniqueConstraint(fields=('version', 'dongle'), name='dongle_once_a_version'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_from__isnull', True), ('fulfilled_on__isnull', True), ('state', 'accepted')), models.Q(('cancelled_from__isnull', True), ('fulfilled_on__isnull', False), ('state', 'fulfilled')), models.Q(('cancelled_from__isnull', False), ('state', 'cancelled')), _connector='OR'), name='order_state_fits_its_dates'),
        ),
        migrations.AddConstraint(
            model_name='revenuesegment',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='segment_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='revenuesegment',
            constraint=models.CheckConstraint(condition=models.Q(('basis_starts_on__lte', models.F('starts_on'))), name='segment_starts_within_basis'),
        ),
        migrations.AddConstraint(
            model_name='revenuesegment',
            constraint=models.UniqueConstraint(fields=('mirrors',), name='segment_taken_back_once'),
        ),
    ]
