"""Documents and bridges only grow; what a version concedes belongs to its offer and stays too."""

from django.db import migrations

GROWING = ["renewals_quotedocument", "renewals_purchaseorderfile", "renewals_bridge"]

KEEP_OFFER = """
CREATE OR REPLACE FUNCTION keep_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (
        NEW.quote_id, NEW.number, NEW.priced_on, NEW.price_list_id, NEW.policy_id, NEW.currency, NEW.discount,
        NEW.waives_upgrades, NEW.free_months, NEW.part_month, NEW.tax_rate, NEW.net, NEW.tax, NEW.total
    ) IS DISTINCT FROM (
        OLD.quote_id, OLD.number, OLD.priced_on, OLD.price_list_id, OLD.policy_id, OLD.currency, OLD.discount,
        OLD.waives_upgrades, OLD.free_months, OLD.part_month, OLD.tax_rate, OLD.net, OLD.tax, OLD.total
    ) THEN
        RAISE EXCEPTION 'what a version of a quote offers stays: % is refused', TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0003_sales_desk")]
    operations = [
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                f"DROP TRIGGER only_grows ON {table}",
            )
            for table in GROWING
        ),
        migrations.RunSQL(KEEP_OFFER, migrations.RunSQL.noop),
    ]
