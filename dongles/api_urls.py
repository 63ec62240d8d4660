from django.urls import path

from dongles import api

urlpatterns = [
    path("codes/<int:code_id>/", api.CodeView.as_view()),
    path("dongles/<str:serial>/receipts/", api.ReceiptView.as_view()),
    path("dongles/<str:serial>/licences/<int:licence_id>/withdraw/", api.WithdrawView.as_view()),
]
