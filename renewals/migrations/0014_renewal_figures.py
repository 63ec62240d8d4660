"""What reports of renewals read (rule F5), and the triggers that note what may have changed it."""

import django.db.models.deletion
from django.db import migrations, models

# By table what a statement on it may change: the dongles and customers whose figures are to be worked out anew. `written`
# are the rows as they are after it, `was` as they were before.
OF_PERIODS = """
    SELECT DISTINCT licence.dongle_id, NULL::bigint FROM {rows} changed
    JOIN dongles_licence licence ON licence.id = changed.licence_id"""
OF_LICENCES = "SELECT DISTINCT dongle_id, NULL::bigint FROM {rows} changed"
OF_REPLACEMENTS = """
    SELECT predecessor_id, NULL::bigint FROM {rows} changed UNION SELECT successor_id, NULL FROM {rows} changed"""
OF_SEGMENTS = """
    SELECT DISTINCT licence.dongle_id, NULL::bigint FROM {rows} changed
    JOIN renewals_orderline line ON line.id = changed.order_line_id
    JOIN dongles_licence licence ON licence.id = line.licence_id
    WHERE changed.annual_amount <> 0"""
OF_OWNERS = """
    SELECT written.id, NULL::bigint FROM written JOIN was USING (id)
    WHERE written.customer_id IS DISTINCT FROM was.customer_id
    UNION SELECT NULL, owner FROM written JOIN was USING (id), unnest(ARRAY[written.customer_id, was.customer_id]) owner
    WHERE written.customer_id IS DISTINCT FROM was.customer_id AND owner IS NOT NULL"""
OF_ORDERS = """
    SELECT quoted.dongle_id, NULL::bigint FROM written JOIN was USING (id)
    JOIN renewals_quotedongle quoted ON quoted.version_id = written.version_id
    WHERE (written.state, written.fulfilled_on, written.cancelled_from, written.customer_id)
        IS DISTINCT FROM (was.state, was.fulfilled_on, was.cancelled_from, was.customer_id)
    UNION SELECT NULL, buyer FROM written JOIN was USING (id), unnest(ARRAY[written.customer_id, was.customer_id]) buyer
    WHERE written.customer_id <> was.customer_id"""
OF_CUSTOMERS = """
    SELECT DISTINCT NULL::bigint, customer FROM written JOIN was USING (id),
        unnest(ARRAY[written.id, written.merged_into_id, was.merged_into_id]) customer
    WHERE customer IS NOT NULL AND (written.merged_into_id, written.country, written.segment, written.currency)
        IS DISTINCT FROM (was.merged_into_id, was.country, was.segment, was.currency)"""
OF_PRODUCTS = """
    SELECT DISTINCT licence.dongle_id, NULL::bigint FROM written JOIN was USING (id)
    JOIN dongles_licence licence ON licence.product_id = written.id
    WHERE written.family_id <> was.family_id"""
OF_POLICIES = """
    SELECT first_dongle_id, NULL::bigint FROM renewals_duedongle
    WHERE family_id IS NULL AND product_id IS NULL AND outcome = ''
        AND (due_on >= (SELECT min(valid_from) FROM {rows})
            OR NOT EXISTS (SELECT 1 FROM renewals_policysettings WHERE valid_from < due_on))"""

WATCHED = {
    "dongles_smaperiod": (OF_PERIODS, ("INSERT", "UPDATE", "DELETE")),
    "dongles_licence": (OF_LICENCES, ("UPDATE", "DELETE")),
    "dongles_replacement": (OF_REPLACEMENTS, ("INSERT", "DELETE")),
    "dongles_dongle": (OF_OWNERS, ("UPDATE",)),
    "dongles_product": (OF_PRODUCTS, ("UPDATE",)),
    "portal_customer": (OF_CUSTOMERS, ("UPDATE",)),
    "renewals_order": (OF_ORDERS, ("UPDATE",)),
    "renewals_revenuesegment": (OF_SEGMENTS, ("INSERT",)),
    "renewals_policysettings": (OF_POLICIES, ("INSERT", "UPDATE", "DELETE")),
}
KNOWN = {
    "INSERT": "NEW TABLE AS written",
    "UPDATE": "OLD TABLE AS was NEW TABLE AS written",
    "DELETE": "OLD TABLE AS was",
}
NOTE = "INSERT INTO renewals_outdatedrenewal (dongle_id, customer_id) "


def watch(table: str, what: str, operations: tuple[str, ...]) -> list[migrations.RunSQL]:
    """The function that notes what statements on a table may change, and its triggers: one for a whole statement."""
    function = f"note_renewals_of_{table}"
    notes = {
        "UPDATE": [NOTE + what.format(rows=rows) for rows in (("written", "was") if "{rows}" in what else ("",))],
        "INSERT": [NOTE + what.format(rows="written")],
        "DELETE": [NOTE + what.format(rows="was")],
    }
    body = "".join(f"IF TG_OP = '{each}' THEN {'; '.join(notes[each])}; END IF; " for each in operations)
    return [
        migrations.RunSQL(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
            f"DROP FUNCTION {function}()",
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER note_renewals_{each.lower()} AFTER {each} ON {table} REFERENCING {KNOWN[each]}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
                f"DROP TRIGGER note_renewals_{each.lower()} ON {table}",
            )
            for each in operations
        ),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('dongles', '0006_update_feeds'),
        ('portal', '0010_postal_addresses'),
        ('renewals', '0013_ledger'),
    ]

    operations = [
        migrations.CreateModel(
            name='OutdatedRenewal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dongle_id', models.BigIntegerField(null=True)),
                ('customer_id', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='CohortFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('first_year', models.PositiveSmallIntegerField()),
                ('year', models.PositiveSmallIntegerField()),
                ('customers', models.BigIntegerField(default=0)),
                ('value', models.BigIntegerField(default=0)),
                ('family', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.productfamily')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('family', 'product', 'first_year', 'year', 'country', 'customer_segment', 'currency'), name='cohort_figures_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='CustomerCohort',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('first_year', models.PositiveSmallIntegerField()),
                ('year', models.PositiveSmallIntegerField()),
                ('customers', models.BigIntegerField(default=0)),
                ('value', models.BigIntegerField(default=0)),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.customer')),
                ('family', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.productfamily')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('customer', 'family', 'product', 'year', 'currency'), name='customer_cohort_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='CustomerRetention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('month', models.DateField()),
                ('value', models.BigIntegerField(default=0)),
                ('then', models.BigIntegerField(default=0)),
                ('kept', models.BigIntegerField(default=0)),
                ('now', models.BigIntegerField(default=0)),
                ('lost', models.BigIntegerField(default=0)),
                ('customers_then', models.BigIntegerField(default=0)),
                ('customers_kept', models.BigIntegerField(default=0)),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.customer')),
                ('family', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.productfamily')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            ],
            options={
                'indexes': [models.Index(fields=['family', 'product', 'currency', 'month'], name='customer_retention_by_month')],
                'constraints': [models.UniqueConstraint(fields=('customer', 'family', 'product', 'month', 'currency'), name='customer_retention_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='DueDongle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('due_on', models.DateField()),
                ('grace_ends_on', models.DateField()),
                ('outcome', models.CharField(blank=True, choices=[('renewed', 'renewed'), ('won_back', 'won_back')], max_length=10)),
                ('covered_again_on', models.DateField(null=True)),
                ('is_valued', models.BooleanField()),
                ('old_value', models.BigIntegerField()),
                ('new_value', models.BigIntegerField()),
                ('kept_value', models.BigIntegerField()),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.customer')),
                ('dongle', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.dongle')),
                ('family', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.productfamily')),
                ('first_dongle', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.dongle')),
                ('order', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='renewals.order')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            ],
            options={
                'indexes': [models.Index(fields=['family', 'product', 'due_on', 'id'], name='due_by_day'), models.Index(fields=['customer', 'family', 'product', 'due_on'], name='due_by_customer'), models.Index(condition=models.Q(('outcome', '')), fields=['family', 'product', 'due_on'], name='due_not_renewed')],
                'constraints': [models.UniqueConstraint(fields=('first_dongle', 'due_on', 'family', 'product'), name='due_once_a_day', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='DueFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('month', models.DateField()),
                ('due', models.BigIntegerField(default=0)),
                ('renewed', models.BigIntegerField(default=0)),
                ('won_back', models.BigIntegerField(default=0)),
                ('valued', models.BigIntegerField(default=0)),
                ('due_value', models.BigIntegerField(default=0)),
                ('kept_value', models.BigIntegerField(default=0)),
                ('renewed_value', models.BigIntegerField(default=0)),
                ('won_back_value', models.BigIntegerField(default=0)),
                ('unrenewed_value', models.BigIntegerField(default=0)),
                ('family', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.productfamily')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('family', 'product', 'month', 'country', 'customer_segment', 'currency'), name='due_figures_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='RetentionFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('customer_segment', models.CharField(choices=[('commercial', 'Commercial'), ('academic', 'Academic')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('month', models.DateField()),
                ('value', models.BigIntegerField(default=0)),
                ('then', models.BigIntegerField(default=0)),
                ('kept', models.BigIntegerField(default=0)),
                ('now', models.BigIntegerField(default=0)),
                ('lost', models.BigIntegerField(default=0)),
                ('customers_then', models.BigIntegerField(default=0)),
                ('customers_kept', models.BigIntegerField(default=0)),
                ('family', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.productfamily')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dongles.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('family', 'product', 'month', 'country', 'customer_segment', 'currency'), name='retention_figures_once', nulls_distinct=False)],
            },
        ),
        *(step for table, (what, operations) in WATCHED.items() for step in watch(table, what, operations)),
        migrations.RunSQL(NOTE + "SELECT id, NULL FROM dongles_dongle", migrations.RunSQL.noop),
    ]
