from django.urls import path

from renewals.web import bridges, builder, customer, dongles, files, orders, pipeline, queue, quotes

app_name = "renewals"
urlpatterns = [
    path("queue/", queue.work_queue, name="queue"),
    path("requests/", queue.request_list, name="requests"),
    path("requests/new/", queue.new_request, name="new_request"),
    path("requests/<int:request_id>/", queue.request_page, name="request"),
    path("requests/<int:request_id>/close/", queue.close, name="close_request"),
    path("q/<slug:key>/", customer.quote_of_key, name="quote_of_key"),
    path("q/<slug:key>/document/", customer.document_of_key, name="document_of_key"),
    path("dongles/<slug:serial>/", dongles.dongle_page, name="dongle"),
    path("dongles/<slug:serial>/quote/", builder.quote_builder, name="quote_builder"),
    path("dongles/<slug:serial>/licences/<int:licence_id>/withdraw/", dongles.withdraw_page, name="withdraw"),
    path("pipeline/", pipeline.pipeline_page, name="pipeline"),
    path("pipeline/pipeline.csv", pipeline.pipeline_csv, name="pipeline_csv"),
    path("pipeline/pipeline.xlsx", pipeline.pipeline_xlsx, name="pipeline_xlsx"),
    path("quotes/", quotes.quote_list, name="quotes"),
    path("quotes/<int:quote_id>/", quotes.quote_page, name="quote"),
    path("quotes/<int:quote_id>/<int:number>/", quotes.quote_page, name="quote_version"),
    path("quotes/<int:quote_id>/<int:number>/send/", quotes.send, name="send"),
    path("quotes/<int:quote_id>/<int:number>/resend/", quotes.resend, name="resend"),
    path("quotes/<int:quote_id>/<int:number>/document/", quotes.document, name="document"),
    path("quotes/<int:quote_id>/<int:number>/approve/", quotes.approve, name="approve"),
    path("quotes/<int:quote_id>/<int:number>/decline/", quotes.decline, name="decline"),
    path("quotes/<int:quote_id>/<int:number>/accept/", quotes.accept, name="accept"),
    path("quotes/<int:quote_id>/<int:number>/bridge/", bridges.bridge_page, name="bridge"),
    path("bridges/", bridges.bridge_list, name="bridges"),
    path("orders/", orders.order_list, name="orders"),
    path("orders/<int:order_id>/", orders.order_page, name="order"),
    path("orders/<int:order_id>/files/", files.attach, name="attach"),
    path("orders/<int:order_id>/files/<int:file_id>/", files.order_file, name="order_file"),
    path("orders/<int:order_id>/pay/", orders.pay, name="pay"),
    path("orders/<int:order_id>/cancel/", orders.cancel_page, name="cancel"),
]
