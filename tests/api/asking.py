"""How the tests ask: short names for requests, and what a problem must look like."""

API = "/api/v1/"


def get(client, address: str):
    return client.get(API + address)


def post(client, address: str, body=None):
    return client.post(API + address, {} if body is None else body, format="json")


def assert_problem(answer, status: int, code: str) -> dict:
    """A problem of that status and code, as problem+json with a sentence."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.content
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, "about:blank")
    assert problem["detail"]
    return problem


def renewal(serial: str = "104233", **asked) -> dict:
    return {"dongles": [{"serial": serial, **(asked or {"renew_years": 1})}]}
