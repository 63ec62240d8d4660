"""The ledger: what segments are told apart by, the sums that reports read, and months that are closed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from renewals.recognition import ANNUAL_KINDS, annual_value

# F2, as renewals/recognition.py has it: integers, a half away from zero.
EARNED = """
CREATE FUNCTION earned_through(amount bigint, starts_on date, ends_on date, day date) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN day < starts_on THEN 0
        WHEN day >= ends_on THEN amount
        WHEN amount >= 0 THEN
            (2 * amount * (day - starts_on + 1) + (ends_on - starts_on + 1)) / (2 * (ends_on - starts_on + 1))
        ELSE -((-2 * amount * (day - starts_on + 1) + (ends_on - starts_on + 1)) / (2 * (ends_on - starts_on + 1)))
    END
$$
"""
RECOGNISED = """
CREATE FUNCTION recognised_through(basis_amount bigint, basis_starts_on date, starts_on date, ends_on date, day date)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN day < starts_on THEN 0
        ELSE earned_through(basis_amount, basis_starts_on, ends_on, day)
            - earned_through(basis_amount, basis_starts_on, ends_on, starts_on - 1)
    END
$$
"""

# What was sold before has the customer's country as of now: which it was then is not on record.
FILL = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE renewals_revenuesegment DISABLE TRIGGER only_grows;
UPDATE renewals_revenuesegment segment
SET customer_id = orders.customer_id, product_id = quoted.product_id, country = customer.country,
    customer_segment = list.segment
FROM renewals_orderline line
JOIN renewals_order orders ON orders.id = line.order_id
JOIN renewals_quoteversion version ON version.id = orders.version_id
JOIN renewals_pricelist list ON list.id = version.price_list_id
JOIN portal_customer customer ON customer.id = orders.customer_id
JOIN renewals_quoteline quoted ON quoted.id = line.quote_line_id
WHERE line.id = segment.order_line_id
"""


def fill(apps, schema_editor):
    """Tell the segments apart that are there; annual values (F5) take D2, which the database does not know."""
    segments = apps.get_model("renewals", "RevenueSegment").objects
    if not segments.exists():
        return
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    schema_editor.execute("ALTER TABLE renewals_revenuesegment DISABLE TRIGGER only_grows")
    schema_editor.execute(FILL)
    sold = segments.filter(order_line__quote_line__kind__in=ANNUAL_KINDS).select_related("mirrors").order_by("pk")
    for segment in sold.iterator(chunk_size=2000):
        whole = segment.mirrors or segment
        value = annual_value(whole.amount, whole.starts_on, whole.ends_on)
        segments.filter(pk=segment.pk).update(annual_amount=value if whole is segment else -value)
    schema_editor.execute("ALTER TABLE renewals_revenuesegment ENABLE TRIGGER only_grows")
    schema_editor.execute(
        "INSERT INTO renewals_unsummarisedsegment (segment_id) SELECT id FROM renewals_revenuesegment"
    )


AWAIT_SUMMARY = """
CREATE FUNCTION await_summary() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO renewals_unsummarisedsegment (segment_id) SELECT id FROM written;
    RETURN NULL;
END $$
"""
GROWING = ("renewals_monthclose", "renewals_ledgerentry")


class Migration(migrations.Migration):

    dependencies = [
        ('dongles', '0006_update_feeds'),
        ('portal', '0010_postal_addresses'),
        ('renewals', '0012_quote_links'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountingMonth',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False)),
                ('is_closed', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='BookingFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('booked_month', models.DateField()),
                ('month', models.DateField()),
                ('recognised', models.BigIntegerField(default=0)),
                ('caught_up', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('booked', 'Booked'), ('credited', 'Credited'), ('recognised', 'Recognised'), ('caught_up', 'Caught up')], max_length=10)),
                ('amount', models.BigIntegerField()),
            ],
            options={
                'verbose_name_plural': 'ledger entries',
                'ordering': ('number',),
            },
        ),
        migrations.CreateModel(
            name='MonthClose',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveSmallIntegerField()),
                ('closed_at', models.DateTimeField()),
                ('segments', models.BigIntegerField()),
                ('last_segment_id', models.BigIntegerField()),
                ('totals', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
            ],
            options={
                'ordering': ('month', 'revision'),
            },
        ),
        migrations.CreateModel(
            name='MonthFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('month', models.DateField()),
                ('booked', models.BigIntegerField(default=0)),
                ('credited', models.BigIntegerField(default=0)),
                ('recognised', models.BigIntegerField(default=0)),
                ('caught_up', models.BigIntegerField(default=0)),
                ('current', models.BigIntegerField(default=0)),
                ('annual', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='MonthReopening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=250)),
                ('asked_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('is_granted', models.BooleanField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='UnsummarisedSegment',
            fields=[
                ('segment', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='unsummarised', serialize=False, to='renewals.revenuesegment')),
            ],
        ),
        migrations.AddField(
            model_name='revenuesegment',
            name='annual_amount',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='revenuesegment',
            name='country',
            field=models.CharField(max_length=2, null=True),
        ),
        migrations.AddField(
            model_name='revenuesegment',
            name='customer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.customer'),
        ),
        migrations.AddField(
            model_name='revenuesegment',
            name='customer_segment',
            field=models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20, null=True),
        ),
        migrations.AddField(
            model_name='revenuesegment',
            name='product',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(
            migrations.AlterField(model_name='revenuesegment', name=name, field=field)
            for name, field in (
                ('country', models.CharField(max_length=2)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.customer')),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            )
        ),
        migrations.AlterField(
            model_name='revenuesegment',
            name='reason',
            field=models.CharField(choices=[('sale', 'Sale'), ('cancellation', 'Cancellation'), ('annulment', 'Annulment'), ('concession', 'Concession')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='revenuesegment',
            index=models.Index(fields=['booked_month', 'id'], name='segment_by_booked_month'),
        ),
        migrations.AddIndex(
            model_name='revenuesegment',
            index=models.Index(fields=['ends_on', 'starts_on'], name='segment_by_days'),
        ),
        migrations.AddConstraint(
            model_name='revenuesegment',
            constraint=models.CheckConstraint(condition=models.Q(('booked_month__day', 1)), name='segment_is_booked_in_a_month'),
        ),
        migrations.AddConstraint(
            model_name='accountingmonth',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='accounting_month_is_a_first'),
        ),
        migrations.AddField(
            model_name='bookingfigures',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product'),
        ),
        migrations.AddField(
            model_name='monthclose',
            name='closed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='monthclose',
            name='month',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='closes', to='renewals.accountingmonth'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='close',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='renewals.monthclose'),
        ),
        migrations.AddField(
            model_name='monthfigures',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product'),
        ),
        migrations.AddField(
            model_name='monthreopening',
            name='asked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='monthreopening',
            name='close',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reopenings', to='renewals.monthclose'),
        ),
        migrations.AddField(
            model_name='monthreopening',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='bookingfigures',
            constraint=models.UniqueConstraint(fields=('month', 'booked_month', 'product', 'country', 'customer_segment', 'currency'), name='booking_figures_once'),
        ),
        migrations.AddConstraint(
            model_name='monthclose',
            constraint=models.UniqueConstraint(fields=('month', 'revision'), name='close_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(fields=('close', 'kind', 'product', 'country', 'customer_segment', 'currency'), name='entry_posted_once'),
        ),
        migrations.AddConstraint(
            model_name='monthfigures',
            constraint=models.UniqueConstraint(fields=('month', 'product', 'country', 'customer_segment', 'currency'), name='month_figures_once'),
        ),
        migrations.AddConstraint(
            model_name='monthreopening',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('is_granted__isnull', True)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('is_granted__isnull', False), models.Q(('is_granted', False), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR')), _connector='OR'), name='reopening_takes_two'),
        ),
        migrations.AddConstraint(
            model_name='monthreopening',
            constraint=models.UniqueConstraint(condition=models.Q(('is_granted__isnull', True), ('is_granted', True), _connector='OR'), fields=('close',), name='one_reopening_a_close'),
        ),
        migrations.RunSQL(EARNED, "DROP FUNCTION earned_through(bigint, date, date, date)"),
        migrations.RunSQL(RECOGNISED, "DROP FUNCTION recognised_through(bigint, date, date, date, date)"),
        migrations.RunSQL(AWAIT_SUMMARY, "DROP FUNCTION await_summary()"),
        migrations.RunSQL(
            "CREATE TRIGGER segment_awaits_summary AFTER INSERT ON renewals_revenuesegment"
            " REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION await_summary()",
            "DROP TRIGGER segment_awaits_summary ON renewals_revenuesegment",
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                f"DROP TRIGGER only_grows ON {table}",
            )
            for table in GROWING
        ),
    ]
