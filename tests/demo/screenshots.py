"""Photograph the page for the book: light on a wide screen, and in the dark on a phone.

    python -m tests.demo.screenshots

It writes book/_static/demo_light.png and demo_dark.png, with few colours to keep them small.
"""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from .serving import served

PLACE = Path(__file__).resolve().parents[2] / "book" / "_static"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
               None)
SHOTS = {"demo_light.png": (900, 1760, "light", "English stories", 1.0),
         "demo_dark.png": (390, 1330, "dark", "Chinese stories", 1.5)}

ABOVE = 80  # empty lines of pixels over the page's title


def main() -> None:
    """Both pictures."""
    with served() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for name, (width, height, scheme, model, scale) in SHOTS.items():
            tab = browser.new_page(viewport={"width": width, "height": height},
                                   color_scheme=scheme, device_scale_factor=scale)
            tab.goto(address)
            tab.get_by_text("What comes next").wait_for(timeout=120_000)
            if model != "English stories":
                choice = tab.locator("[data-testid=stSelectbox] input")
                choice.click()
                choice.press("ArrowDown")
                choice.press("Enter")
                tab.get_by_text("星期").first.wait_for(timeout=60_000)
            if scheme == "light":  # bars that show what a slider does
                likeliest = tab.get_by_role("slider", name=re.compile("Top-k"))
                for _ in range(5):
                    likeliest.press("ArrowRight")
                tab.wait_for_timeout(1500)
            tab.get_by_role("button", name="Write").click()
            tab.get_by_text(re.compile("tokens/s")).wait_for(timeout=120_000)
            tab.wait_for_timeout(1500)
            picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
            picture = picture.crop((0, int(ABOVE * scale), *picture.size))
            few = picture.quantize(64, dither=Image.Dither.NONE)
            few.save(PLACE / name, optimize=True)
            print(name, few.size, f"{(PLACE / name).stat().st_size:,} bytes")
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
