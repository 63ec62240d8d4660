"""A user in the role of a customer without one is refused in words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portal", "0008_reminders")]
    operations = [
        migrations.AlterConstraint(
            model_name="user",
            name="customer_users_have_a_customer",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("role", "customer"), _negated=True), ("customer__isnull", False), _connector="OR"),
                name="customer_users_have_a_customer",
                violation_error_message="Say whose user it is: choose the customer.",
            ),
        ),
    ]
