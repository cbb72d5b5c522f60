"""The status page, the docs page and their files: shells without a single fact of the farm.

Both ask for the token in the browser and fetch with it. Nothing is loaded from elsewhere: the
files of Swagger UI come with a package of ours.
"""

from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

from policy.admin.problems import Problem

router = APIRouter(include_in_schema=False)

_WEB: Final = Path(str(resources.files("policy.web")))
_SWAGGER_UI: Final = Path(str(resources.files("fastapi_offline"))) / "static"
_HTML: Final = "text/html; charset=utf-8"
_ASSETS: Final = {
    "status.js": (_WEB, "text/javascript"),
    "docs.js": (_WEB, "text/javascript"),
    "token.js": (_WEB, "text/javascript"),
    "live.js": (_WEB, "text/javascript"),
    "pages.css": (_WEB, "text/css"),
    "icon.svg": (_WEB, "image/svg+xml"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
}
_FRESH: Final = {"Cache-Control": "no-cache"}
_KEPT: Final = {"Cache-Control": "max-age=3600"}


@router.get("/")
async def status_page() -> FileResponse:
    return FileResponse(_WEB / "status.html", media_type=_HTML, headers=_FRESH)


@router.get("/docs")
async def docs_page() -> FileResponse:
    return FileResponse(_WEB / "docs.html", media_type=_HTML, headers=_FRESH)


@router.get("/static/{name}")
async def asset(name: str) -> FileResponse:
    if name not in _ASSETS:
        raise Problem(404, "no such file")
    folder, media_type = _ASSETS[name]
    headers = _KEPT if folder is _SWAGGER_UI else _FRESH
    return FileResponse(folder / name, media_type=media_type, headers=headers)
