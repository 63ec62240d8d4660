from django.urls import path

from renewals.web import staff

app_name = "renewals"
urlpatterns = [
    path("dongles/<slug:serial>/", staff.dongle_page, name="dongle"),
    path("dongles/<slug:serial>/quote/", staff.quote_builder, name="quote_builder"),
    path("dongles/<slug:serial>/licences/<int:licence_id>/withdraw/", staff.withdraw_page, name="withdraw"),
    path("quotes/", staff.quote_list, name="quotes"),
    path("quotes/<int:quote_id>/", staff.quote_page, name="quote"),
    path("quotes/<int:quote_id>/<int:number>/", staff.quote_page, name="quote_version"),
    path("quotes/<int:quote_id>/<int:number>/send/", staff.send, name="send"),
    path("quotes/<int:quote_id>/<int:number>/approve/", staff.approve, name="approve"),
    path("quotes/<int:quote_id>/<int:number>/decline/", staff.decline, name="decline"),
    path("quotes/<int:quote_id>/<int:number>/accept/", staff.accept, name="accept"),
    path("orders/", staff.order_list, name="orders"),
    path("orders/<int:order_id>/", staff.order_page, name="order"),
    path("orders/<int:order_id>/pay/", staff.pay, name="pay"),
    path("orders/<int:order_id>/cancel/", staff.cancel_page, name="cancel"),
]
