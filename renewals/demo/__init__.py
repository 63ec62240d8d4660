"""The demo's data: invented customers, and dongles in every situation of the rulebook. Refused in production."""

from renewals.demo.customers import DEMO_PASSWORD, Login, customers_login, login_of_two, logins
from renewals.demo.situations import Situation, situations

__all__ = ["DEMO_PASSWORD", "Login", "Situation", "customers_login", "login_of_two", "logins", "situations"]
