from django.urls import path

from renewals.web import builder, dongles, orders, quotes

app_name = "renewals"
urlpatterns = [
    path("dongles/<slug:serial>/", dongles.dongle_page, name="dongle"),
    path("dongles/<slug:serial>/quote/", builder.quote_builder, name="quote_builder"),
    path("dongles/<slug:serial>/licences/<int:licence_id>/withdraw/", dongles.withdraw_page, name="withdraw"),
    path("quotes/", quotes.quote_list, name="quotes"),
    path("quotes/<int:quote_id>/", quotes.quote_page, name="quote"),
    path("quotes/<int:quote_id>/<int:number>/", quotes.quote_page, name="quote_version"),
    path("quotes/<int:quote_id>/<int:number>/send/", quotes.send, name="send"),
    path("quotes/<int:quote_id>/<int:number>/approve/", quotes.approve, name="approve"),
    path("quotes/<int:quote_id>/<int:number>/decline/", quotes.decline, name="decline"),
    path("quotes/<int:quote_id>/<int:number>/accept/", quotes.accept, name="accept"),
    path("orders/", orders.order_list, name="orders"),
    path("orders/<int:order_id>/", orders.order_page, name="order"),
    path("orders/<int:order_id>/pay/", orders.pay, name="pay"),
    path("orders/<int:order_id>/cancel/", orders.cancel_page, name="cancel"),
]
