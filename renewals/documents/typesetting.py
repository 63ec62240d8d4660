"""Typst, held on a short lead: it sees templates/documents/ and the fonts of its own package, nothing else.

The data arrive as JSON through `sys.inputs`: as strings, which typst prints and never evaluates. It takes no packages
and no time of day, so the same data on the same day give the same bytes on every machine.
"""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import typst
from django.conf import settings

_own = threading.local()


def set_pdf(template: str, data: Mapping[str, Any], on: date) -> bytes:
    """The PDF of templates/documents/<template>.typ with these data, dated `on`."""
    compiler, moment = _compiler(template), datetime(on.year, on.month, on.day, tzinfo=UTC)
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    try:
        # Archivable and accessible: PDF/A-2a and PDF/UA-1 are tagged and titled, with every font inside.
        pdf = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=["a-2a", "ua-1"], timestamp=moment)
    except typst.TypstError as error:
        # A rare pile of signs whose letters no single font has: it is set all the same, only not by the standards.
        if "could not be displayed" not in error.message:
            raise
        pdf = compiler.compile(format="pdf", sys_inputs=inputs, timestamp=moment)
    return cast(bytes, pdf)


def _compiler(template: str) -> typst.Compiler:
    """One compiler per thread and template: it keeps what it has parsed, and two threads must not use it at once."""
    compilers: dict[str, typst.Compiler] = _own.__dict__.setdefault("compilers", {})
    if template not in compilers:
        root = Path(settings.BASE_DIR) / "templates" / "documents"
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
        compilers[template] = typst.Compiler(
            root / f"{template}.typ",
            root=root,
            font_paths=fonts,
            ignore_system_fonts=True,
            package_path=root,
            package_cache_path=root,
        )
    return compilers[template]
