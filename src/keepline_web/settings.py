"""Django's settings, all of them drawn from the site and six environment variables.

``KEEPLINE_SITE``: the site's folder. ``KEEPLINE_DATABASE_URL``: its PostgreSQL.
``KEEPLINE_URL``: the address people type, ``https://…`` behind a proxy; unset on loopback.
``KEEPLINE_AUDIT_SINK``, ``KEEPLINE_SCAN_COMMAND``: see docs/howto/security.md.
``KEEPLINE_PSEUDO``: set by tests alone, marks every word that has been through a translation.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from keepline.front import CHART_DRAWING, CHART_LIBRARY, open_site
from keepline_web import keys
from keepline_web.address import settings_of

SITE = open_site(Path(os.environ["KEEPLINE_SITE"]).resolve())
DEMO = (SITE.root / "demo.json").exists()
PUBLIC = urlsplit(os.environ.get("KEEPLINE_URL", ""))
HTTPS = PUBLIC.scheme == "https"
AUDIT_SINK = os.environ.get("KEEPLINE_AUDIT_SINK", "")  # where each entry of the audit is sent besides
SCAN = os.environ.get("KEEPLINE_SCAN_COMMAND", "")  # a program that looks at each file before anything reads it
PSEUDO = bool(os.environ.get("KEEPLINE_PSEUDO"))

SECRET_KEY = keys.key(SITE.root, "django").hex()
DEBUG = False
ALLOWED_HOSTS = [PUBLIC.hostname] if PUBLIC.hostname else ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"https://{PUBLIC.netloc}"] if HTTPS else []
ROOT_URLCONF = "keepline_web.urls"
WSGI_APPLICATION = "keepline_web.wsgi.application"
APPEND_SLASH = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "axes",
    "csp",
    "keepline_web.frame",
    "keepline_web.audit",
    "keepline_web.people",
    "keepline_web.jobs",
    "keepline_web.customers",
    "keepline_web.exports",
    "keepline_web.work",
    "keepline_web.exchange",
    "keepline_web.retention",
    "keepline_web.api",
]
MIDDLEWARE = [
    "keepline_web.frame.middleware.Caller",
    "django.middleware.security.SecurityMiddleware",
    "keepline_web.frame.middleware.Headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "keepline_web.people.middleware.SignedIn",
    "keepline_web.audit.noting.Noted",
    "keepline_web.frame.middleware.Language",
    "keepline_web.frame.middleware.Refusals",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["keepline_web.frame.context.page"],
            "builtins": ["keepline_web.frame.templatetags.frame"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DATABASES = {"default": settings_of(os.environ.get("KEEPLINE_DATABASE_URL", "postgresql:///keepline"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
     "OPTIONS": {"user_attributes": ("username", "name")}},
    {"NAME": "keepline_web.people.passwords.NoWordsOfTheHouse"},
]  # fmt: skip
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"

HOST_ONLY = "__Host-" if HTTPS else ""  # browsers take such a cookie from this host alone, over TLS alone
SESSION_ENGINE = "keepline_web.people.sessions"
SESSION_COOKIE_NAME = f"{HOST_ONLY}session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
IDLE_SECONDS = 30 * 60
CSRF_COOKIE_NAME = f"{HOST_ONLY}csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "keepline_web.frame.refusals.csrf"
LANGUAGE_COOKIE_NAME = f"{HOST_ONLY}language"
THEME_COOKIE_NAME = f"{HOST_ONLY}theme"

SECURE_SSL_REDIRECT = False  # the proxy speaks TLS and redirects; see docs/howto/deploy.md
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody locks a colleague out from elsewhere
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "keepline_web.people.views.locked_out"
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "keepline"
OTP_TOTP_THROTTLE_FACTOR = 1

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
BUSINESS_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [("vendor/echarts", CHART_LIBRARY), ("drawing", CHART_DRAWING)]  # one copy: the report's own
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site needs our files

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["err"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "ERROR"}, "axes": {"level": "ERROR"}},
}
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # no redirect to TLS here: the proxy does it
