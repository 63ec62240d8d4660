"""The ledger and what was quoted or sold only grow; price lists and policy that a quote used stay as they were."""

from django.db import migrations

GROWING = ["renewals_revenuesegment", "renewals_quotedongle", "renewals_quoteline", "renewals_orderline"]

KEEP_USED = """
CREATE FUNCTION keep_used_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used boolean;
    list_id bigint;
BEGIN
    IF TG_TABLE_NAME = 'renewals_policysettings' THEN
        SELECT EXISTS (SELECT 1 FROM renewals_quoteversion WHERE policy_id = OLD.id) INTO used;
    ELSE
        IF TG_TABLE_NAME = 'renewals_pricelist' THEN
            list_id := OLD.id;
        ELSIF TG_OP = 'INSERT' THEN
            list_id := NEW.price_list_id;
        ELSE
            list_id := OLD.price_list_id;
        END IF;
        SELECT EXISTS (SELECT 1 FROM renewals_quoteversion WHERE price_list_id = list_id) INTO used;
    END IF;
    IF used THEN
        RAISE EXCEPTION 'a quote has used this row of %: % is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$
"""

KEPT = {
    "renewals_pricelist": "UPDATE OR DELETE",
    "renewals_pricelistentry": "INSERT OR UPDATE OR DELETE",
    "renewals_policysettings": "UPDATE OR DELETE",
}


class Migration(migrations.Migration):
    dependencies = [("renewals", "0001_initial"), ("portal", "0002_only_grows")]
    operations = [
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                f"DROP TRIGGER only_grows ON {table}",
            )
            for table in GROWING
        ),
        migrations.RunSQL(KEEP_USED, "DROP FUNCTION keep_used_terms()"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER keep_used_terms BEFORE {operations_} ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION keep_used_terms()",
                f"DROP TRIGGER keep_used_terms ON {table}",
            )
            for table, operations_ in KEPT.items()
        ),
    ]
