"""A product keeps its number, one that a code states stays; a release that was sold against stays published."""

from django.db import migrations, models

KEEP_NUMBER = """
CREATE FUNCTION keep_product_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.number <> OLD.number THEN
            RAISE EXCEPTION 'product number % stays with its product', OLD.number
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT 1 FROM dongles_unlockcode, jsonb_array_elements(licences) AS stated
        WHERE licences @> jsonb_build_array(jsonb_build_array(OLD.number)) AND (stated ->> 0)::int = OLD.number
    ) THEN
        RAISE EXCEPTION 'codes state product number %: DELETE is refused', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$
"""

KEEP_RELEASE = """
CREATE OR REPLACE FUNCTION keep_sold_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sold_against_on IS NOT NULL AND (
        TG_OP = 'DELETE'
        OR (NEW.family_id, NEW.build_on, NEW.is_major, NEW.is_published, NEW.sold_against_on)
            IS DISTINCT FROM (OLD.family_id, OLD.build_on, OLD.is_major, OLD.is_published, OLD.sold_against_on)
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
    dependencies = [("dongles", "0004_installed_base")]
    operations = [
        migrations.AlterConstraint(
            model_name="product",
            name="product_number_fits_the_code",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__range", (1, 65535))),
                name="product_number_fits_the_code",
                violation_error_message="A product's number is from 1 to 65,535.",
            ),
        ),
        migrations.RunSQL(KEEP_NUMBER, "DROP FUNCTION keep_product_number()"),
        migrations.RunSQL(
            "CREATE TRIGGER keep_product_number BEFORE UPDATE OR DELETE ON dongles_product"
            " FOR EACH ROW EXECUTE FUNCTION keep_product_number()",
            "DROP TRIGGER keep_product_number ON dongles_product",
        ),
        migrations.RunSQL(KEEP_RELEASE, migrations.RunSQL.noop),
    ]
