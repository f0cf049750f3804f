"""Which boards are there, and as which files? `soak dashboards` writes them."""

import json
from pathlib import Path

from dashboards.board import Json, modern
from dashboards.compare import compare
from dashboards.latency import latency
from dashboards.maintenance import maintenance
from dashboards.memory import memory
from dashboards.overview import overview
from dashboards.tester import tester


def boards() -> dict[str, Json]:
    """uid to dashboard, as JSON of the current schema."""
    made = (overview(), memory(), latency(), maintenance(), compare(), tester())
    return {found["uid"]: found for found in map(modern, made)}


def board_files() -> dict[str, str]:
    """File name to content."""
    return {
        f"{uid}.json": json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        for uid, found in boards().items()
    }


def write_boards(folder: Path) -> list[Path]:
    """The files that were written below folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in board_files().items():
        path = folder / name
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written
