"""Ten years of bookings in bulk, by SQL alone: customers, dongles, orders and revenue, as the portal writes them.

Half of the dongles have two licences, the others one or three. Each was sold with a year of SMA and then renewed for
one to three years at a time; one renewal in twenty comes after a gap, with an upgrade; one in ten is the last. Two
orders in a hundred are cancelled, and what they take back mirrors what was booked. A test has the invariants look
through a small one (tests/services/test_bench_bookings.py).
"""

from datetime import date

from django.db import connection, transaction

from dongles.models import Product, ProductFamily
from portal.models import User
from renewals.demo.catalogue import insert_catalogue

LINES_A_DONGLE = 8.6  # measured
COUNTRIES = (
    ("EUR", ["DE", "AT", "FR", "NL", "BE", "IT", "ES", "FI", "IE", "PT"]),
    ("USD", ["US", "CA", "BR", "IN", "AU"]),
    ("GBP", ["GB"]),
    ("JPY", ["JP", "KR", "TW", "SG"]),
)
TABLES = (
    "portal_customer", "dongles_dongle", "dongles_licence", "dongles_smaperiod", "renewals_quote",
    "renewals_quoteversion", "renewals_quotedongle", "renewals_quoteline", "renewals_order", "renewals_orderline",
    "renewals_revenuesegment",
)  # fmt: skip

# One customer for four dongles. Half of them are in the first country of the first currency, and so on: a long tail.
CUSTOMERS = """
CREATE TEMP TABLE made_customer ON COMMIT DROP AS
SELECT number AS id, currencies.currency,
    countries.code[1 + floor(cardinality(countries.code) * random() ^ 2)::int] AS country,
    CASE WHEN random() < 0.4 THEN 'academic' ELSE 'commercial' END AS segment
FROM generate_series(1, %(customers)s) number
CROSS JOIN LATERAL (
    SELECT (ARRAY['EUR', 'EUR', 'EUR', 'EUR', 'USD', 'USD', 'USD', 'GBP', 'GBP', 'JPY'])
        [1 + floor(random() * 10 + number * 0)::int] AS currency
) currencies
JOIN made_country countries ON countries.currency = currencies.currency;
INSERT INTO portal_customer (id, name, segment, country, currency, tax_status, fulfil_on, locale, postal_address,
    invoice_address)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + id, 'Institute ' || id, segment, country, currency, 'standard', 'acceptance', 'en_GB', '', ''
FROM made_customer;
"""

# Sold on a day up to the 28th, so that every month and year has it.
DONGLES = """
CREATE TEMP TABLE made_dongle ON COMMIT DROP AS
SELECT number AS id, customer.id AS customer, customer.currency, customer.country, customer.segment,
    (ARRAY[1, 2, 2, 3])[1 + floor(random() * 4)::int] AS licences,
    date_trunc('month', day)::date + least(extract(day FROM day)::int, 28) - 1 AS acquired_on
FROM generate_series(1, %(dongles)s) number
JOIN made_customer customer ON customer.id = 1 + number %% %(customers)s
CROSS JOIN LATERAL (SELECT %(today)s::date - 30 - floor(random() * 3620 + number * 0)::int AS day) days;
CREATE UNIQUE INDEX ON made_dongle (id);
INSERT INTO dongles_dongle (id, serial, kind, state, generation, sequence, customer_id)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + id, 'B' || id, 'dongle', 'active', 0, 0, %(first)s + customer FROM made_dongle;

CREATE TEMP TABLE made_licence ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY dongle.id, index) AS id, dongle.id AS dongle, index::smallint, product.*,
    dongle.acquired_on
FROM made_dongle dongle
CROSS JOIN LATERAL generate_series(0, dongle.licences - 1) index
JOIN made_product product ON product.place = (dongle.id * 7 + index * 3) %% %(products)s;
CREATE INDEX ON made_licence (dongle);
"""

# The sales of a dongle one after the other: when, for what from when on, and how many years of SMA after the included.
SALES = """
CREATE TEMP TABLE made_sale ON COMMIT DROP AS
WITH RECURSIVE sale AS (
    SELECT id AS dongle, 0 AS number, 'licence' AS kind, acquired_on AS sold_on, acquired_on AS starts_on, 0 AS years,
        (acquired_on + interval '1 year')::date AS following, random() AS chance, NULL::date AS covered_through
    FROM made_dongle
    UNION ALL
    SELECT dongle, number + 1, next.kind, next.sold_on, next.starts_on, next.years,
        (next.starts_on + make_interval(years => next.years + (next.kind = 'upgrade')::int))::date, random(),
        following - 1
    FROM sale
    CROSS JOIN LATERAL (
        SELECT CASE WHEN chance < 0.05 THEN 'upgrade' ELSE 'renewal' END AS kind,
            CASE WHEN chance < 0.05 THEN (following + interval '5 months')::date ELSE following END AS starts_on,
            CASE WHEN chance < 0.05 THEN (following + interval '5 months')::date
                ELSE following - 3 - (chance * 40)::int END AS sold_on,
            CASE WHEN chance < 0.05 THEN 0 WHEN chance < 0.7 THEN 1 WHEN chance < 0.8 THEN 2 ELSE 3 END AS years
    ) next
    WHERE next.sold_on <= %(today)s AND chance < 0.9
)
SELECT row_number() OVER (ORDER BY sold_on, dongle) AS id, sale.*,
    number = max(number) OVER (PARTITION BY dongle) AS is_last, NULL::date AS cancelled_from
FROM sale;
UPDATE made_sale SET cancelled_from = sold_on + (5 + random() * (%(today)s::date - sold_on - 5))::int
WHERE is_last AND sold_on < %(today)s::date - 10
    AND random() < 0.02 * (SELECT count(*) FROM made_sale) / (SELECT count(*) FROM made_dongle);
CREATE UNIQUE INDEX ON made_sale (id);
"""

# Prices follow the product's year and the currency; each sale has a discount of its own, so that sums are not round.
LINES = """
CREATE TEMP TABLE made_line ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY sale.id, licence.index, part) AS id, sale.id AS sale, sale.dongle, sale.sold_on,
    sale.cancelled_from, sale.number = 0 AS is_first, licence.id AS licence, licence.index, licence.product,
    CASE WHEN part = 0 THEN sale.kind ELSE 'sma_year' END AS kind,
    (sale.starts_on + make_interval(years => part - (sale.kind = 'renewal')::int))::date AS starts_on,
    (sale.starts_on + make_interval(years => part + 1 - (sale.kind = 'renewal')::int))::date - 1 AS ends_on,
    price.list_amount, price.net,
    CASE WHEN part > 0 THEN price.net WHEN sale.kind = 'licence' THEN (2 * price.net + 5) / 10
        ELSE (price.net + 1) / 2 END AS sma_net
FROM made_sale sale
JOIN made_licence licence ON licence.dongle = sale.dongle
JOIN made_dongle dongle ON dongle.id = sale.dongle
JOIN made_country country ON country.currency = dongle.currency
CROSS JOIN LATERAL generate_series((sale.kind = 'renewal')::int, sale.years) part
CROSS JOIN LATERAL (
    SELECT licence.sma_year * country.per_euro / 100
        * CASE WHEN part > 0 THEN 1 WHEN sale.kind = 'licence' THEN 5 ELSE 2 END AS list_amount
) list
CROSS JOIN LATERAL (
    SELECT list.list_amount, list.list_amount * (1000 - sale.id %% 173) / 1000 AS net
) price;
CREATE UNIQUE INDEX ON made_line (id);
"""

SOLD = """
INSERT INTO dongles_licence (id, seats, acquired_on, withdrawn_on, withdrawal_reason, dongle_id, product_id)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + licence.id, 1, licence.acquired_on, cancelled.day,
    CASE WHEN cancelled.day IS NULL THEN '' ELSE 'The order was cancelled.' END, %(first)s + licence.dongle,
    licence.product
FROM made_licence licence
LEFT JOIN (
    SELECT dongle, cancelled_from AS day FROM made_sale WHERE number = 0 AND cancelled_from IS NOT NULL
) cancelled ON cancelled.dongle = licence.dongle;

INSERT INTO renewals_quote (id, customer_id, created_at)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + sale.id, %(first)s + dongle.customer, sale.sold_on - interval '3 days'
FROM made_sale sale JOIN made_dongle dongle ON dongle.id = sale.dongle;

INSERT INTO renewals_quoteversion (id, number, state, priced_on, valid_until, currency, discount, discount_reason, note,
    tax_rate, net, tax, total, needs_approval, policy_id, price_list_id, quote_id, free_months, part_month,
    waives_upgrades, key_hash, key_nonce)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + sale.id, 1, 'accepted', sale.sold_on, sale.sold_on + 30, dongle.currency, 0, '', '', 0, sums.net, 0,
    sums.net, false, %(policy)s, list.id, %(first)s + sale.id, 0, '', false, '', ''
FROM made_sale sale
JOIN made_dongle dongle ON dongle.id = sale.dongle
JOIN (SELECT sale, sum(net) AS net FROM made_line GROUP BY sale) sums ON sums.sale = sale.id
JOIN (
    SELECT DISTINCT ON (currency, segment) id, currency, segment FROM renewals_pricelist
    ORDER BY currency, segment, valid_from DESC
) list ON list.currency = dongle.currency AND list.segment = dongle.segment;

INSERT INTO renewals_quotedongle (id, version_id, dongle_id, renew_years, added, replacement, paid_through,
    covered_through, fingerprint, licences, net)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + sale.id, %(first)s + sale.id, %(first)s + sale.dongle, nullif(sale.years, 0), '[]', '{}',
    sale.covered_through, sale.following - 1, '', coalesce(held.licences, '[]'), version.net
FROM made_sale sale
JOIN renewals_quoteversion version ON version.id = %(first)s + sale.id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('licence', %(first)s + id, 'product', code, 'missed', '[]'::jsonb, 'is_lapsed',
        sale.kind = 'upgrade', 'covered_through', sale.covered_through) ORDER BY index) AS licences
    FROM made_licence licence WHERE licence.dongle = sale.dongle AND sale.number > 0
) held ON true;

INSERT INTO renewals_quoteline (id, kind, licence_index, seats, starts_on, ends_on, months, list_amount, discounts, net,
    sma_net, rules, steps, product_id, quoted_id)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + id, kind, index, 1, starts_on, ends_on, '{12,0,0}', list_amount, '[]', net, sma_net, '{P4,P3}',
    jsonb_build_array(jsonb_build_object('rule', 'P3', 'what', 'exact', 'inputs',
        jsonb_build_array(list_amount, 1, 12, 0, 0), 'result', list_amount)),
    product, %(first)s + sale
FROM made_line;

INSERT INTO renewals_order (id, state, purchase_order_number, accepted_by, accepted_on, fulfilled_on, cancelled_from,
    customer_id, quote_id, version_id, terms)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + sale.id, CASE WHEN cancelled_from IS NULL THEN 'fulfilled' ELSE 'cancelled' END,
    'BENCH-' || sale.id, 'Ada Lenz', sold_on, sold_on, cancelled_from, %(first)s + dongle.customer,
    %(first)s + sale.id, %(first)s + sale.id, ''
FROM made_sale sale JOIN made_dongle dongle ON dongle.id = sale.dongle;

INSERT INTO dongles_smaperiod (id, starts_on, ends_on, source, is_cancelled, licence_id)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + id, starts_on,
    CASE WHEN cancelled_from > starts_on THEN least(ends_on, cancelled_from - 1) ELSE ends_on END, 'order',
    coalesce(cancelled_from <= starts_on, false), %(first)s + licence
FROM made_line;

INSERT INTO renewals_orderline (id, free_days, net, licence_id, order_id, period_id, quote_line_id)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + id, 0, net, %(first)s + licence, %(first)s + sale, %(first)s + id, %(first)s + id FROM made_line;
"""

# What is earned by day and what at once (F2, F3); then what cancellations take back of the days from then on (F4).
BOOKED = """
CREATE TEMP TABLE made_segment ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY line.id, method) AS id, line.id AS line, line.product, line.cancelled_from, part.*,
    date_trunc('month', line.sold_on)::date AS booked_month,
    CASE WHEN line.kind = 'sma_year' THEN part.amount ELSE 0 END AS annual_amount,
    %(first)s + dongle.customer AS customer, dongle.country, dongle.segment, dongle.currency
FROM made_line line
JOIN made_dongle dongle ON dongle.id = line.dongle
CROSS JOIN LATERAL (VALUES
    ('daily', line.sma_net, line.starts_on, line.ends_on),
    ('at_once', line.net - line.sma_net, line.sold_on, line.sold_on)
) part (method, amount, starts_on, ends_on)
WHERE part.amount <> 0;

INSERT INTO renewals_revenuesegment (id, order_line_id, customer_id, product_id, country, customer_segment, currency,
    amount, starts_on, ends_on, method, booked_month, reason, basis_amount, basis_starts_on, annual_amount)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + id, %(first)s + line, customer, product, country, segment, currency, amount, starts_on, ends_on,
    method, booked_month, 'sale', amount, starts_on, annual_amount
FROM made_segment;

INSERT INTO renewals_revenuesegment (id, order_line_id, customer_id, product_id, country, customer_segment, currency,
    amount, starts_on, ends_on, method, booked_month, reason, basis_amount, basis_starts_on, annual_amount, mirrors_id)
OVERRIDING SYSTEM VALUE
SELECT %(first)s + (SELECT max(id) FROM made_segment) + row_number() OVER (ORDER BY id), %(first)s + line, customer,
    product, country, segment, currency, left_over.amount, left_over.starts_on, ends_on, 'daily',
    greatest(date_trunc('month', cancelled_from)::date, booked_month), 'cancellation', -segment.amount,
    segment.starts_on, -annual_amount, %(first)s + id
FROM made_segment segment
CROSS JOIN LATERAL (
    SELECT greatest(cancelled_from, segment.starts_on) AS starts_on, recognised_through(
        segment.amount, segment.starts_on, segment.starts_on, ends_on, greatest(cancelled_from, segment.starts_on) - 1
    ) - segment.amount AS amount
) left_over
WHERE method = 'daily' AND cancelled_from <= ends_on AND left_over.amount <> 0;
"""


def insert_bookings(lines: int, today: date) -> int:
    """Fill an empty database with about so many order lines in the ten years through today; how many there are.

    Needs a superuser: nothing checks what refers to what meanwhile, and triggers stay out of it, so the sums are to be
    rebuilt afterwards. The same lines come of the same number and day.
    """
    insert_catalogue(today)
    server = ProductFamily.objects.create(name="Imaging License Server", support_policy="sma_required")
    Product.objects.bulk_create(
        Product(number=number, code=f"ILS-{number}", name=f"Imaging License Server {number}", family=server)
        for number in (301, 302)
    )
    User.objects.create(email="finance@vendor.example", role="finance", name="Finn Finance")
    dongles = max(round(lines / LINES_A_DONGLE), 4)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; SELECT setseed(0.42)")
        known = {
            "first": 1_000_000,
            "today": today,
            "dongles": dongles,
            "customers": max(dongles // 4, 1),
            "products": _tell_products_and_countries(cursor),
            "policy": _one(cursor, "SELECT min(id) FROM renewals_policysettings"),
        }
        for statements in (CUSTOMERS, DONGLES, SALES, LINES, SOLD, BOOKED):
            for statement in statements.split(";\n"):
                if statement.strip():
                    cursor.execute(statement, known)
        for table in TABLES:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        made = _one(cursor, "SELECT count(*) FROM made_line")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def _tell_products_and_countries(cursor) -> int:
    cursor.execute(
        "CREATE TEMP TABLE made_product ON COMMIT DROP AS SELECT row_number() OVER (ORDER BY number) - 1 AS place,"
        " id AS product, code, 60000 + 15000 * (row_number() OVER (ORDER BY number) - 1) AS sma_year"
        " FROM dongles_product"
    )
    cursor.execute("CREATE TEMP TABLE made_country (currency text, code text[], per_euro int) ON COMMIT DROP")
    per_euro = {"EUR": 100, "USD": 110, "GBP": 86, "JPY": 165}
    for currency, codes in COUNTRIES:
        cursor.execute("INSERT INTO made_country VALUES (%s, %s, %s)", [currency, codes, per_euro[currency]])
    return _one(cursor, "SELECT count(*) FROM made_product")


def _one(cursor, statement: str) -> int:
    cursor.execute(statement)
    return cursor.fetchone()[0]
