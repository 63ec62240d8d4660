"""Where a customer's post goes, and where its invoices go."""

from django.db import migrations, models

import portal.models


class Migration(migrations.Migration):
    dependencies = [("portal", "0009_users_in_words")]
    operations = [
        migrations.AddField(
            model_name="customer",
            name=name,
            field=models.TextField(blank=True, validators=[portal.models.check_address]),
        )
        for name in ("postal_address", "invoice_address")
    ]
