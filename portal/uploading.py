"""Uploads are bounded while they come in, whoever sends them and whatever stands before the portal."""

from collections.abc import Callable

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpResponse

# A little more than the largest file that is kept (10 MB), so that one byte too many is seen as such.
MOST_BYTES_OF_A_REQUEST = 11 * 1024 * 1024


def takes_up_to(most_bytes: int) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A view whose requests may be larger than others'."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        view.most_bytes_of_a_request = most_bytes  # type: ignore[attr-defined]  # read below, before the view is called
        return view

    return decorate


class BoundedUpload(FileUploadHandler):
    """Stands before the handlers that keep what comes in and passes on so many bytes of a request, but no more.

    What follows is read and dropped: the form then refuses a file that is too large with a sentence beside its field.
    """

    passed_on = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        kept = raw_data[: max(self._most_bytes - self.passed_on, 0)]
        self.passed_on += len(kept)
        return kept or None

    @property
    def _most_bytes(self) -> int:
        match = getattr(self.request, "resolver_match", None)
        return getattr(match and match.func, "most_bytes_of_a_request", MOST_BYTES_OF_A_REQUEST)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes] | None":
        return None  # the next handler has it
