from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from portal.api.login import LoginView, LogoutView
from portal.api.views import UnknownAddress

urlpatterns = [
    path("login/", LoginView.as_view()),
    path("logout/", LogoutView.as_view()),
    path("", include("dongles.api_urls")),
    path("", include("renewals.api_urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    re_path("", UnknownAddress.as_view()),
]
