from django.urls import include, path

from renewals.api.dongles import DongleView
from renewals.api.handover import FindView, LoseView, ReplaceView, TransferView
from renewals.api.orders import CancelView, OrderView, PayView
from renewals.api.quotes import (
    AcceptView,
    ApproveView,
    DeclineView,
    PreviewView,
    QuotesView,
    QuoteView,
    SendView,
    VersionsView,
    VersionView,
)

version_patterns = [
    path("", VersionView.as_view()),
    path("approve/", ApproveView.as_view()),
    path("send/", SendView.as_view()),
    path("decline/", DeclineView.as_view()),
    path("accept/", AcceptView.as_view()),
]
urlpatterns = [
    path("dongles/<str:serial>/", DongleView.as_view()),
    path("dongles/<str:serial>/lost/", LoseView.as_view()),
    path("dongles/<str:serial>/found/", FindView.as_view()),
    path("dongles/<str:serial>/replace/", ReplaceView.as_view()),
    path("dongles/<str:serial>/transfer/", TransferView.as_view()),
    path("quotes/preview/", PreviewView.as_view()),
    path("quotes/", QuotesView.as_view()),
    path("quotes/<int:quote_id>/", QuoteView.as_view()),
    path("quotes/<int:quote_id>/versions/", VersionsView.as_view()),
    path("quotes/<int:quote_id>/versions/<int:number>/", include(version_patterns)),
    path("orders/<int:order_id>/", OrderView.as_view()),
    path("orders/<int:order_id>/pay/", PayView.as_view()),
    path("orders/<int:order_id>/cancel/", CancelView.as_view()),
]
