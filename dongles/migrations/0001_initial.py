import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('portal', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(unique=True)),
                ('code', models.CharField(max_length=20, unique=True)),
                ('name', models.CharField(max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name='ProductFamily',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('support_policy', models.CharField(choices=[('sma_required', 'A valid SMA is required'), ('latest_version', 'Only the latest version is supported')], max_length=20)),
            ],
            options={
                'verbose_name_plural': 'product families',
            },
        ),
        migrations.CreateModel(
            name='Dongle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('serial', models.CharField(max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('dongle', 'Dongle'), ('key', 'Key'), ('licence_server', 'Imaging License Server')], default='dongle', max_length=20)),
                ('state', models.CharField(choices=[('active', 'Active'), ('lost', 'Lost'), ('retired', 'Retired')], default='active', max_length=20)),
                ('generation', models.PositiveSmallIntegerField(default=0)),
                ('sequence', models.PositiveIntegerField(default=0)),
                ('issued_expiry_on', models.DateField(blank=True, null=True)),
                ('confirmed_expiry_on', models.DateField(blank=True, null=True)),
                ('customer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dongles', to='portal.customer')),
            ],
        ),
        migrations.CreateModel(
            name='Licence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seats', models.PositiveIntegerField(default=1)),
                ('acquired_on', models.DateField()),
                ('withdrawn_on', models.DateField(blank=True, null=True)),
                ('withdrawal_reason', models.CharField(blank=True, max_length=250)),
                ('dongle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='licences', to='dongles.dongle')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='licences', to='dongles.product')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.AddField(
            model_name='product',
            name='family',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='products', to='dongles.productfamily'),
        ),
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=40)),
                ('build_on', models.DateField(verbose_name='build date')),
                ('is_major', models.BooleanField(default=False, verbose_name='major release')),
                ('is_published', models.BooleanField(default=False, verbose_name='published')),
                ('notes', models.TextField(blank=True)),
                ('sold_against_on', models.DateField(blank=True, editable=False, null=True)),
                ('family', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='dongles.productfamily')),
            ],
        ),
        migrations.CreateModel(
            name='ReleaseFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('platform', models.CharField(max_length=40)),
                ('path', models.CharField(max_length=250, unique=True)),
                ('size', models.PositiveBigIntegerField(help_text='bytes')),
                ('sha256', models.CharField(max_length=64)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='dongles.release')),
            ],
        ),
        migrations.CreateModel(
            name='SmaPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('source', models.CharField(choices=[('record', 'On record when the dongle came in'), ('order', 'Order')], max_length=10)),
                ('is_cancelled', models.BooleanField(default=False)),
                ('licence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='dongles.licence')),
            ],
            options={
                'ordering': ('starts_on',),
            },
        ),
        migrations.CreateModel(
            name='UnlockCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(max_length=60)),
                ('generation', models.PositiveSmallIntegerField()),
                ('sequence', models.PositiveIntegerField()),
                ('key_slot', models.PositiveSmallIntegerField()),
                ('expiry_on', models.DateField()),
                ('previous_expiry_on', models.DateField(null=True)),
                ('issued_on', models.DateField()),
                ('issued_at', models.DateTimeField()),
                ('licences', models.JSONField()),
                ('letters', models.TextField()),
                ('dongle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='dongles.dongle')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='CodeReceipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('confirmed_at', models.DateTimeField()),
                ('confirmed_by', models.CharField(max_length=200)),
                ('code', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='receipt', to='dongles.unlockcode')),
            ],
        ),
        migrations.AddConstraint(
            model_name='dongle',
            constraint=models.CheckConstraint(condition=models.Q(('serial__regex', '^[A-Z0-9]{1,32}$')), name='dongle_serial_is_canonical'),
        ),
        migrations.AddConstraint(
            model_name='dongle',
            constraint=models.CheckConstraint(condition=models.Q(('generation__range', (0, 255)), ('sequence__range', (0, 65535))), name='dongle_numbers_fit_the_code'),
        ),
        migrations.AddConstraint(
            model_name='licence',
            constraint=models.CheckConstraint(condition=models.Q(('seats__range', (1, 65535))), name='licence_seats_fit_the_code'),
        ),
        migrations.AddConstraint(
            model_name='licence',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn_on__isnull', True), models.Q(('withdrawal_reason', ''), _negated=True), _connector='OR'), name='licence_withdrawn_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('number__range', (1, 65535))), name='product_number_fits_the_code'),
        ),
        migrations.AddIndex(
            model_name='release',
            index=models.Index(fields=['family', 'build_on'], name='releases_by_date'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.UniqueConstraint(fields=('family', 'version'), name='release_once_per_family'),
        ),
        migrations.AddConstraint(
            model_name='smaperiod',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='sma_period_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='smaperiod',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_cancelled', False)), expressions=[('licence', '='), (models.Func('starts_on', 'ends_on', django.contrib.postgres.fields.ranges.RangeBoundary(inclusive_lower=True, inclusive_upper=True), function='daterange', output_field=django.contrib.postgres.fields.ranges.DateRangeField()), '&&')], name='sma_periods_never_overlap'),
        ),
        migrations.AddConstraint(
            model_name='unlockcode',
            constraint=models.UniqueConstraint(fields=('dongle', 'generation', 'sequence'), name='code_number_given_once'),
        ),
        migrations.AddConstraint(
            model_name='unlockcode',
            constraint=models.UniqueConstraint(fields=('dongle', 'cause'), name='code_once_per_cause'),
        ),
    ]
