"""A page made of fabricated runs, and a Chromium that opens it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from lib.compare import compare
from lib.plots import plot_overall, plot_study
from lib.report import render
from tests.support.runs import make_runs, study, two_studies

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

# What a class may be called by whoever labels recordings.
ODD = 'a "b", <i>c</i> & 50 %_$x'


class Browser:
    """One tab, with what a test asks of it."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def open(self, page: Path, *, width: int = 1400, dark: bool = False) -> None:
        """Open a page anew in a window of that width (CSS pixels), and forget what came before."""
        window = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
        self.media("screen", dark=dark)
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get(page.as_uri())

    def media(self, kind: str, *, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        settings = {"media": kind, "features": [scheme]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", settings)

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def console(self) -> list[str]:
        """Return what the page wrote to the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses asked for since the page was opened, the page's own too."""
        events = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs Chromium and its chromedriver: apt install chromium chromium-driver")
    options = Options()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    downloads = tmp_path_factory.mktemp("downloads")
    # With a driver named, nothing is looked for on the network.
    tab = webdriver.Chrome(options=options, service=Service(driver))
    tab.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
    )
    tab.set_script_timeout(300)  # a busy machine is slow, not wrong
    try:
        yield Browser(tab, downloads)
    finally:
        tab.quit()


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page with every kind of table and picture, and a class whose name is awkward."""
    beats, voices = two_studies()
    odd = study("odd", classes=["N", ODD], scored=["N", ODD], architectures=["lstm", "cnn"])
    studies = [beats | {"architectures": ["lstm", "cnn"]}, voices, odd]
    folder = tmp_path_factory.mktemp("page")
    made = make_runs(folder, studies=studies, groups=14, per_group=6)
    compare(
        studies, results=made["results"], tables=made["tables"], claims=made["claims"],
        resamples=100,
    )  # fmt: skip
    for one in studies:
        plot_study(
            one, tables=made["tables"], results=made["results"],
            folder=made["plots"] / one["study"],
        )  # fmt: skip
    plot_overall(studies, tables=made["tables"], folder=made["plots"])
    names = ("tables", "plots", "results", "manifests", "provenance")
    return render(studies, output=folder / "report.html", **{name: made[name] for name in names})
