"""Takes the README's picture: one dialogue of the demo in the browser, with its items and its evidence.

`python -m tests.docs.dialogue_picture` needs a built demo (`make demo`) and Chromium.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from pathlib import Path

import httpx
import uvicorn
from PIL import Image

from tasks.reports import browser_app
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.chromium import Opened, browser_page

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "dialogue.png"
SIZE = {"width": 1100, "height": 1200}
FITTING = """
WITH lengths AS (
  SELECT dialogue_id, count(*) AS utterances
  FROM verdicts JOIN utterances USING (dialogue_id, attempt)
  WHERE verdict = 'accepted' GROUP BY dialogue_id
)
SELECT dialogue_id FROM lengths WHERE utterances BETWEEN 7 AND 8 ORDER BY dialogue_id
"""


def serve() -> tuple[uvicorn.Server, str]:
    """Serve the browser on a free port of this machine; return the server and its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(browser_app(Home()), log_level="warning"))
    threading.Thread(target=server.run, args=([listening],), daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return server, f"http://127.0.0.1:{listening.getsockname()[1]}"


def most_telling(address: str) -> str:
    """Return the address of the dialogue with the most marked words, among those that fit."""
    with read_warehouse(Home().warehouse("demo")) as con:
        fitting = [str(row[0]) for row in con.execute(FITTING).fetchall()]
    marked = {}
    for dialogue in fitting:
        page = httpx.get(f"{address}/domains/demo/{dialogue}", timeout=60).text
        marked[dialogue] = page.split(">Marks<")[0].count("<mark")
    return f"{address}/domains/demo/{max(fitting, key=lambda one: marked[one])}"


def main() -> None:
    server, address = serve()
    with browser_page(Opened(), offline=False, viewport=SIZE, color_scheme="light") as page:
        page.goto(most_telling(address))
        below = page.get_by_role("heading", name="Marks").bounding_box()["y"]
        clip = {"x": 0, "y": 60, "width": SIZE["width"], "height": below - 60 - 30}
        taken = Image.open(io.BytesIO(page.screenshot(clip=clip)))
    server.should_exit = True
    taken.convert("RGB").quantize(256).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
