from django.urls import path

from dongles.installed_base import web as installed_base
from dongles.web import check_code, downloads, feeds, my, staff, support

app_name = "dongles"
urlpatterns = [
    path("check-code/", check_code.check_code, name="check_code"),
    path("dongles/<slug:serial>/history/", staff.history, name="history"),
    path("dongles/", staff.find, name="find"),
    path("dongles/import/", installed_base.import_page, name="import"),
    path("dongles/import/<int:import_id>/", installed_base.columns, name="import_columns"),
    path("dongles/import/<int:import_id>/start/", installed_base.start, name="start_import"),
    path("dongles/codes/<int:code_id>/", staff.code_page, name="code"),
    path("dongles/codes/<int:code_id>/qr.svg", staff.code_qr, name="code_qr"),
    path("dongles/codes/<int:code_id>/file/", staff.code_file, name="code_file"),
    path("dongles/codes/<int:code_id>/receipt/", staff.receipt, name="receipt"),
    path("my/dongles/<slug:serial>/codes/<int:code_id>/", my.code_page, name="my_code"),
    path("my/dongles/<slug:serial>/codes/<int:code_id>/qr.svg", my.code_qr, name="my_code_qr"),
    path("my/dongles/<slug:serial>/codes/<int:code_id>/file/", my.code_file, name="my_code_file"),
    path("my/dongles/<slug:serial>/codes/<int:code_id>/receipt/", my.receipt, name="my_receipt"),
    path("dongles/<slug:serial>/feed/", feeds.addresses, name="feed_addresses"),
    path("my/downloads/", downloads.downloads_page, name="my_downloads"),
    path("my/downloads/<int:file_id>/", downloads.download, name="download"),
    path("my/downloads/<slug:serial>/addresses/", downloads.new_feed_addresses, name="new_feed_addresses"),
    path("downloads/<str:signed>/", downloads.file, name="file"),
    path("feeds/<slug:serial>/<slug:token>.json", feeds.feed_json, name="feed_json"),
    path("feeds/<slug:serial>/<slug:token>.xml", feeds.feed_xml, name="feed_xml"),
    path("feeds/<slug:serial>/<slug:token>/files/<int:file_id>/", feeds.feed_file, name="feed_file"),
    path("my/support/", support.my_support, name="my_support"),
    path("support/", support.support, name="support"),
]
