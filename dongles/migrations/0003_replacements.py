"""Another dongle takes the place of a lost or broken one (Q8): the record only grows."""

import django.db.models.deletion
from django.db import migrations, models

GROWING = ["dongles_replacement", "dongles_replacement_licences"]


class Migration(migrations.Migration):

    dependencies = [
        ('dongles', '0002_only_grows'),
    ]

    operations = [
        migrations.CreateModel(
            name='Replacement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(choices=[('lost', 'Lost, stolen or not handed back'), ('broken', 'Broken and handed back')], max_length=10)),
                ('reason', models.CharField(max_length=250)),
                ('replaced_on', models.DateField()),
                ('licences', models.ManyToManyField(related_name='replacements', to='dongles.licence')),
                ('predecessor', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='dongles.dongle')),
                ('successor', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='replaces', to='dongles.dongle')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('predecessor', models.F('successor')), _negated=True), name='no_dongle_replaces_itself')],
            },
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                f"DROP TRIGGER only_grows ON {table}",
            )
            for table in GROWING
        ),
    ]
