"""The server itself, in the OpenAPI document."""

from fer_web.web.api.openapi.parts import TEXT, Json, answer, described, operation, record, ref

TAG: Json = {"name": "Server", "description": "Whether it runs, and what it understands."}

SCHEMAS: Json = {
    "Model": record(
        "The network that judges faces.",
        name=TEXT,
        hash=described({"type": "string", "pattern": "^[0-9a-f]*$"}, "SHA-256 of its file, in hexadecimal."),
    ),
    "Health": record(
        "A server that answers.",
        status={"type": "string", "const": "ok"},
        version=TEXT,
        model=ref("Model"),
    ),
}

PATHS: Json = {
    "/health": {
        "get": operation(
            TAG["name"], "getHealth", "Whether the server runs", {"200": answer("It runs.", ref("Health"))}
        )
    },
    "/openapi.json": {
        "get": operation(
            TAG["name"],
            "getDocument",
            "This document",
            {"200": answer("OpenAPI 3.1.", {"type": "object", "required": ["openapi", "paths"]})},
        )
    },
}
