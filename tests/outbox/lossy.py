"""The control: the same mail as a plain Celery task, acknowledged when it is taken, without a row behind it."""

import os
import smtplib

from celery import Celery

app = Celery("lossy", broker=os.environ.get("REDIS_URL"))
app.conf.task_ignore_result = True


@app.task
def mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail("sma@vendor.example", ["ada@cells.example"], "Subject: lossy\r\n\r\nlost\r\n")
