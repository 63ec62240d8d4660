from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal import web
from portal.web import audit, jobs

# The back office has no login of its own: the portal's slows down and locks out after failures.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's way

urlpatterns = [
    path("", web.home, name="home"),
    path("", include("dongles.urls")),
    path("", include("renewals.urls")),
    path("api/v1/", include("portal.api_urls")),
    path("accounts/", include("portal.account_urls")),
    path("mail/", web.sent_mail, name="sent_mail"),
    path("mail/<int:mail_id>/", web.sent_mail, name="sent_mail_detail"),
    path("audit/", audit.audit_trail, name="audit"),
    path("audit/audit.csv", audit.audit_csv, name="audit_csv"),
    path("audit/export/", audit.export, name="audit_export"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/<int:job_id>/", jobs.job_page, name="job"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel, name="cancel_job"),
    path("jobs/<int:job_id>/resume/", jobs.resume, name="resume_job"),
    path("jobs/<int:job_id>/files/<str:name>", jobs.job_file, name="job_file"),
    path("back-office/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("back-office/", admin.site.urls),
    path("health/", web.health, name="health"),
]
