"""The ledger and what was quoted or sold only grow; price lists and policy that a quote used stay as they were."""

from django.db import migrations

GROWING = ["renewals_revenuesegment", "renewals_quotedongle", "renewals_quoteline", "renewals_orderline"]

KEEP_USED = """
CREATE FUNCTION keep_used_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used boolean;
    lists bigint[];
BEGIN
    IF TG_TABLE_NAME = 'renewals_policysettings' THEN
        SELECT EXISTS (SELECT 1 FROM renewals_quoteversion WHERE policy_id = OLD.id) INTO used;
    ELSE
        IF TG_TABLE_NAME = 'renewals_pricelist' THEN
            lists := ARRAY[OLD.id];
        ELSIF TG_OP = 'INSERT' THEN
            lists := ARRAY[NEW.price_list_id];
        ELSIF TG_OP = 'DELETE' THEN
            lists := ARRAY[OLD.price_list_id];
        ELSE
            lists := ARRAY[OLD.price_list_id, NEW.price_list_id];
        END IF;
        SELECT EXISTS (SELECT 1 FROM renewals_quoteversion WHERE price_list_id = ANY (lists)) INTO used;
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

KEEP_OFFER = """
CREATE FUNCTION keep_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (
        NEW.quote_id, NEW.number, NEW.priced_on, NEW.price_list_id, NEW.policy_id, NEW.currency, NEW.discount,
        NEW.tax_rate, NEW.net, NEW.tax, NEW.total
    ) IS DISTINCT FROM (
        OLD.quote_id, OLD.number, OLD.priced_on, OLD.price_list_id, OLD.policy_id, OLD.currency, OLD.discount,
        OLD.tax_rate, OLD.net, OLD.tax, OLD.total
    ) THEN
        RAISE EXCEPTION 'what a version of a quote offers stays: % is refused', TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
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
        migrations.RunSQL(KEEP_OFFER, "DROP FUNCTION keep_offer()"),
        migrations.RunSQL(
            "CREATE TRIGGER keep_offer BEFORE UPDATE OR DELETE ON renewals_quoteversion"
            " FOR EACH ROW EXECUTE FUNCTION keep_offer()",
            "DROP TRIGGER keep_offer ON renewals_quoteversion",
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
