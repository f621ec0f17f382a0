"""The OpenAPI document: FastAPI's own, and the headers and bodies that we read ourselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from llmlab_app.api.auth import SCHEMES, security_of

_COMPONENTS = "#/components/schemas/{model}"


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """``openapi_extra`` of a route that reads its body as ``model`` by itself."""
    schema = model.model_json_schema(ref_template=_COMPONENTS)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def openapi_of(api: FastAPI) -> dict[str, Any]:
    """The document, with what it can't see for itself: hand-read bodies and who may call."""
    document = get_openapi(
        title=api.title, version=api.version, summary=api.summary, routes=api.routes
    )
    components = document.setdefault("components", {}).setdefault("schemas", {})
    document["components"]["securitySchemes"] = SCHEMES
    for methods in document["paths"].values():
        for method, operation in methods.items():
            operation.setdefault("security", security_of(method))
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                components |= media["schema"].pop("$defs", {})
    return document
