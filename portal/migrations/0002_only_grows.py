"""What only grows: the database itself refuses to change or delete it."""

from django.db import migrations

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]
    operations = [
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change()"),
        migrations.RunSQL(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON portal_auditevent"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER audit_only_grows ON portal_auditevent",
        ),
    ]
