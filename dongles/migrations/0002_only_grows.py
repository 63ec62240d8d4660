"""Codes and receipts only grow; a release that was sold against keeps its build date and its being major."""

from django.db import migrations

GROWING = ["dongles_unlockcode", "dongles_codereceipt"]

KEEP_RELEASE = """
CREATE FUNCTION keep_sold_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sold_against_on IS NOT NULL AND (
        TG_OP = 'DELETE'
        OR (NEW.family_id, NEW.build_on, NEW.is_major, NEW.sold_against_on)
            IS DISTINCT FROM (OLD.family_id, OLD.build_on, OLD.is_major, OLD.sold_against_on)
    ) THEN
        RAISE EXCEPTION 'release % was sold against since %: % is refused', OLD.version, OLD.sold_against_on, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("dongles", "0001_initial"), ("portal", "0002_only_grows")]
    operations = [
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                f"DROP TRIGGER only_grows ON {table}",
            )
            for table in GROWING
        ),
        migrations.RunSQL(KEEP_RELEASE, "DROP FUNCTION keep_sold_release()"),
        migrations.RunSQL(
            "CREATE TRIGGER keep_sold_release BEFORE UPDATE OR DELETE ON dongles_release"
            " FOR EACH ROW EXECUTE FUNCTION keep_sold_release()",
            "DROP TRIGGER keep_sold_release ON dongles_release",
        ),
    ]
