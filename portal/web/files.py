"""Tables as files that a browser keeps."""

from collections.abc import Iterable

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from portal.sheets import ZIP_OF_XLSX


def csv_file(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    """Lines of CSV, written while they are sent; `name` is without its ending."""
    headers = {"Content-Disposition": content_disposition_header(True, f"{name}.csv")}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def xlsx_file(content: bytes, name: str) -> HttpResponse:
    """A workbook; `name` is without its ending."""
    headers = {"Content-Disposition": content_disposition_header(True, f"{name}.xlsx")}
    return HttpResponse(content, content_type=ZIP_OF_XLSX, headers=headers)
