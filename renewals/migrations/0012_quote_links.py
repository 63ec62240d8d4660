import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of the keys in links only hashes stay: links that were mailed before go on working.

    They can't be mailed again, since no random number belongs to them: a mail points to the document instead.

    Taken back, the links of all quotes that were sent until then open nothing any more: keys don't come back from hashes.
    """

    dependencies = [
        ("renewals", "0011_public_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="terms",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="quoteversion",
            name="key_hash",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="quoteversion",
            name="key_nonce",
            field=models.CharField(blank=True, max_length=24),
        ),
        migrations.RunSQL(
            "UPDATE renewals_quoteversion SET key_hash = encode(sha256(convert_to(key, 'UTF8')), 'hex') WHERE key <> ''",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint(
            model_name="quoteversion",
            name="quote_key_opens_one_version",
        ),
        migrations.RemoveField(
            model_name="quoteversion",
            name="key",
        ),
        migrations.AddConstraint(
            model_name="quoteversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key_hash", ""), _negated=True),
                fields=("key_hash",),
                name="quote_key_opens_one_version",
            ),
        ),
        migrations.CreateModel(
            name="QuoteQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(max_length=254)),
                ("text", models.TextField(max_length=2000)),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="renewals.quoteversion",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True)), fields=["asked_at"], name="questions_open"
                    )
                ],
            },
        ),
    ]
