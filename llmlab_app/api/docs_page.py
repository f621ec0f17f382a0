"""``/api/docs``: the OpenAPI document as one plain page that loads nothing from elsewhere."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .4rem 0; } code, pre { font-family: ui-monospace, monospace; }
pre { overflow: auto; padding: 1rem; border: 1px solid #8884; border-radius: 8px; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
"""


def docs_page(openapi: Mapping[str, Any]) -> str:
    """HTML of every route: what it is for, its parameters and its body."""
    routes = "\n".join(
        _route(path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    info = openapi["info"]
    return f"""<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title><style>{_STYLE}</style></head>
<body><h1>{escape(info["title"])} API {escape(info["version"])}</h1>
<p>{escape(info.get("summary", ""))} Send your key as <code>Authorization: Bearer …</code> or
<code>X-API-Key: …</code>. Errors are RFC 9457 <code>application/problem+json</code>.
The same as <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
{routes}</body></html>"""


def _route(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(each['name'])}</code> ({escape(each['in'])})"
        f" {escape(each.get('description', ''))}</li>"
        for each in operation.get("parameters", ())
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = f"<pre>{escape(json.dumps(body['schema'], indent=2))}</pre>" if body else ""
    return (
        f'<details><summary><span class="method">{method.upper()}</span>'
        f" <code>{escape(path)}</code></summary>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"{f'<ul>{parameters}</ul>' if parameters else ''}{schema}</details>"
    )
