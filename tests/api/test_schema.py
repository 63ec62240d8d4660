"""The OpenAPI document: valid, complete, and served."""

import io
import json

import pytest
from django.core.management import call_command

from tests.api.asking import get

METHODS = {"get", "post"}


@pytest.fixture(scope="module")
def schema():
    written = io.StringIO()
    call_command("spectacular", "--format", "openapi-json", "--validate", "--fail-on-warn", stdout=written)
    return json.loads(written.getvalue())


def operations(schema):
    return [
        (f"{method} {path}", operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_schema_is_valid_without_a_warning(schema):
    assert schema["openapi"].startswith("3.")


def test_every_operation_says_what_it_does_and_how_it_fails(schema):
    found = operations(schema)
    assert len(found) == 22
    for name, operation in found:
        assert operation["summary"], name
        for status, response in operation["responses"].items():
            if status != "204" and status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, status)
                assert response["description"].startswith("`"), (name, status)
            elif status != "204":
                assert "$ref" in response["content"]["application/json"]["schema"], (name, status)
        assert {"401", "406"} <= operation["responses"].keys(), name


def test_every_operation_but_the_login_asks_for_the_token(schema):
    assert schema["components"]["securitySchemes"]["token"]["in"] == "header"
    without = [name for name, operation in operations(schema) if {"token": []} not in operation.get("security", [])]
    assert without == ["post /api/v1/login/"]


def test_every_body_is_closed_and_has_an_example(schema):
    for name, operation in operations(schema):
        if body := operation.get("requestBody"):
            media = body["content"]["application/json"]
            component = media["schema"]["$ref"].rsplit("/", 1)[1]
            assert schema["components"]["schemas"][component]["additionalProperties"] is False, name
            assert media["examples"], name


def test_the_schema_is_served_as_yaml_and_json_without_a_token(api_client):
    answer = get(api_client, "schema/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/vnd.oai.openapi")
    assert b"openapi: 3" in answer.content
    as_json = api_client.get("/api/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    assert json.loads(as_json.content)["info"]["title"] == "SMA Portal"
