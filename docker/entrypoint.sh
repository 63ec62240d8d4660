#!/bin/sh
# What a container of the portal's image does: web, worker, beat, signer, migrate, or any other command.
# Secrets come as files named after their variables, so that they stand in no configuration and no image.
set -eu

for name in PORTAL_SECRET_KEY DATABASE_URL EMAIL_URL SIGNER_PASSPHRASE; do
  file="${SECRETS_DIR:-/run/secrets}/$name"
  if [ -r "$file" ]; then
    value=$(cat "$file")
    export "$name=$value"
  fi
done

wait_for_database() {
  python - <<'PYTHON'
import os, sys, time
import psycopg

deadline = time.monotonic() + 60
while True:
    try:
        psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=3).close()
        break
    except psycopg.OperationalError as error:
        if time.monotonic() > deadline:
            sys.exit(f"The database does not answer: {error}")
        time.sleep(1)
PYTHON
}

case "${1:-web}" in
  web)
    wait_for_database
    exec gunicorn portal.wsgi --worker-class gthread --workers "${WEB_WORKERS:-2}" --threads "${WEB_THREADS:-4}" \
      --bind "${WEB_BIND:-0.0.0.0:8000}" --worker-tmp-dir /dev/shm --no-control-socket \
      --access-logfile - --logger-class portal.logs.AccessLogger
    ;;
  worker)
    wait_for_database
    exec celery --app portal.celery worker --concurrency "${WORKER_CONCURRENCY:-2}" --loglevel INFO
    ;;
  beat)
    exec celery --app portal.celery beat --schedule /tmp/beat-schedule --pidfile '' --loglevel INFO
    ;;
  migrate)
    wait_for_database
    exec python manage.py migrate --no-input
    ;;
  signer)
    exec python -m dongles.signer --socket "${SIGNER_SOCKET:-/run/signer/signer.sock}" \
      --key "${SIGNER_KEY:-/run/secrets/signer.pem}" --slot "${SIGNER_SLOT:-0}" \
      --log "${SIGNER_LOG:-/var/lib/signer/signer.log}"
    ;;
  *)
    exec "$@"
    ;;
esac
