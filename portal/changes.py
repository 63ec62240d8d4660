"""What a row holds, as an audit event keeps it: fields as JSON, and of two readings what differs."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

Values = Mapping[str, Any]


def values_of(row: Model) -> dict[str, Any]:
    """What people can edit of a row, by the names of its fields; another row by its id. Not for users: no passwords."""
    fields = [field for field in row._meta.concrete_fields if field.editable and not field.primary_key]
    return as_json({field.name: field.value_from_object(row) for field in fields})


def as_json(values: Values) -> dict[str, Any]:
    """Days, moments and decimals as their texts; 1.00 and 1 alike."""
    written: dict[str, Any] = json.loads(json.dumps(dict(values), cls=_PlainDecimals))
    return written


class _PlainDecimals(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return f"{o.normalize():f}" if isinstance(o, Decimal) else super().default(o)


def differing(before: Values, after: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of both what is not the same in the other."""
    return (
        {name: value for name, value in before.items() if name not in after or after[name] != value},
        {name: value for name, value in after.items() if name not in before or before[name] != value},
    )
