from django.urls import path

from dongles import web

app_name = "dongles"
urlpatterns = [
    path("<slug:serial>/history/", web.history, name="history"),
    path("", web.find, name="find"),
    path("codes/<int:code_id>/", web.code_page, name="code"),
    path("codes/<int:code_id>/qr.svg", web.code_qr, name="code_qr"),
    path("codes/<int:code_id>/file/", web.code_file, name="code_file"),
    path("codes/<int:code_id>/receipt/", web.receipt, name="receipt"),
]
