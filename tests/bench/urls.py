from django.urls import path

from portal.urls import urlpatterns as pages
from tests.bench.database import floor_view

urlpatterns = [*pages, path("floor/", floor_view)]
