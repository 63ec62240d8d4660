from django.urls import path

from dongles import web
from dongles.installed_base import web as installed_base

app_name = "dongles"
urlpatterns = [
    path("<slug:serial>/history/", web.history, name="history"),
    path("", web.find, name="find"),
    path("import/", installed_base.import_page, name="import"),
    path("import/<int:import_id>/", installed_base.columns, name="import_columns"),
    path("import/<int:import_id>/start/", installed_base.start, name="start_import"),
    path("codes/<int:code_id>/", web.code_page, name="code"),
    path("codes/<int:code_id>/qr.svg", web.code_qr, name="code_qr"),
    path("codes/<int:code_id>/file/", web.code_file, name="code_file"),
    path("codes/<int:code_id>/receipt/", web.receipt, name="receipt"),
]
