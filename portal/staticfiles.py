"""Static files in production: each under a name with its checksum, and so are the modules that our scripts import.

So a page never gets modules of two versions. Django can do that for all scripts or for none, and scripts of others that
import what they don't bring along would fail it; so it is done for the apps that have modules.
"""

from typing import ClassVar

from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORT = r"""(?P<matched>\bfrom "(?P<url>\./[\w.-]+\.js)")"""


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise tells no types
    patterns: ClassVar = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("dongles/*.js", ((IMPORT, 'from "%(url)s"'),)),
    )
