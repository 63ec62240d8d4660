"""The chain over the audit trail, and indexes for its list."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

AWAIT_SEALING = """
CREATE FUNCTION await_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO portal_unsealedevent (event_id, since) SELECT id, clock_timestamp() FROM written;
    RETURN NULL;
END $$
"""
TRIGGERS = (
    (
        "audit_links_only_grow",
        "portal_auditlink",
        "BEFORE UPDATE OR DELETE ON portal_auditlink FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ),
    (
        "audit_awaits_sealing",
        "portal_auditevent",
        "AFTER INSERT ON portal_auditevent REFERENCING NEW TABLE AS written FOR EACH STATEMENT"
        " EXECUTE FUNCTION await_sealing()",
    ),
)


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0003_locale_owner_attachments'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditLink',
            fields=[
                ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                ('hash', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='UnsealedEvent',
            fields=[
                ('event', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='unsealed', serialize=False, to='portal.auditevent')),
                ('since', models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['at', 'id'], name='audit_by_moment'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['actor_name', 'at', 'id'], name='audit_by_actor'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['action', 'at', 'id'], name='audit_by_action'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('reason'), name='gin_trgm_ops'), condition=models.Q(('reason', ''), _negated=True), name='audit_reason_trigrams'),
        ),
        migrations.AddField(
            model_name='auditlink',
            name='event',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='link', to='portal.auditevent'),
        ),
        migrations.RunSQL(
            "INSERT INTO portal_unsealedevent (event_id, since) SELECT id, now() FROM portal_auditevent",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(AWAIT_SEALING, "DROP FUNCTION await_sealing()"),
        *(
            migrations.RunSQL(f"CREATE TRIGGER {name} {when}", f"DROP TRIGGER {name} ON {table}")
            for name, table, when in TRIGGERS
        ),
    ]
