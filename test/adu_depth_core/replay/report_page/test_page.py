"""The report page: parsed, checked for required content, and opened in a browser."""

import base64
import dataclasses
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from adu_depth_core.camera import Camera

pytest.importorskip("rosbags")
pytest.importorskip("jinja2")
from adu_depth_core.replay import evaluation_result as er
from adu_depth_core.replay.report_page import write_report_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VOID = {"meta", "link", "img", "br"}


class Document(HTMLParser):
    """Checks that tags are closed in order; keeps attributes and the text of elements."""

    def __init__(self, html):
        super().__init__()
        self.open, self.attributes, self.texts = [], [], {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data.strip())


@pytest.fixture
def write(tmp_path):
    def page(result):
        path = tmp_path / "report.html"
        write_report_page(result, path)
        return path.read_text(encoding="utf-8")

    return page


def test_the_page_shows_every_part(write, make_result):
    html = write(make_result(labels=("first", "second"), frames=60))
    document = Document(html)
    assert {
        "Error by distance",
        "Sparsification",
        "Reliability",
        "Error against sigma",
        "abs_rel over time",
        "Instability over time",
        "Error by image region",
    } <= set(document.texts["h3"])
    assert document.texts["h1"] == ["second is more accurate than first"]
    assert html.count("<svg") == 7
    assert {"image", "prediction", "error", "sigma"} <= set(document.texts["figcaption"])
    for text in (
        "0.110",
        "0.104 … 0.117",
        "−0.0165 better",
        "/lidar/points",
        "by option",
        "p95 19.8, max 44.0",
    ):
        assert text in html
    for pixels in ("first, 0-10 m: abs_rel 0.0600\n12,345 pixels in 60 frames", "second, 40-80 m"):
        assert pixels in html


def test_a_mean_of_too_short_drives_has_no_interval_and_the_reason(write, make_result):
    result = make_result()
    (model,) = result.models
    assert "no interval" not in write(result).lower()
    metrics = {name: dataclasses.replace(e, decided=False) for name, e in model.metrics.items()}
    html = write(dataclasses.replace(result, models=(dataclasses.replace(model, metrics=metrics),)))
    assert '<span class="faint">no interval</span>' in html
    assert "No interval: an effective sample size below 5 or less than 10 s of driving" in html


def test_a_difference_that_is_not_decided_is_called_so(write, make_result):
    result = make_result(labels=("a", "b"))
    inconclusive = [
        dataclasses.replace(c, difference=dataclasses.replace(c.difference, decided=False))
        for c in result.comparisons
    ]
    html = write(dataclasses.replace(result, comparisons=tuple(inconclusive)))
    assert "−0.0165 inconclusive" in html
    assert "better<" not in html
    assert "an effective sample size below 5 or less than 10 s of driving" in html


def test_the_page_needs_nothing_from_anywhere(write, make_result):
    html = write(make_result(labels=("a", "b")))
    links = [value for _, name, value in Document(html).attributes if name in ("src", "href", "srcset")]
    assert links
    assert all(link.startswith("data:") for link in links)
    assert not re.search(r"https?://|//cdn|url\(|@import|<script", html)


def test_the_pictures_are_those_of_the_frame(write, make_result):
    result = make_result()
    picture = np.full((30, 60, 3), (200, 40, 90), np.uint8)
    worst = result.models[0].worst[0]
    frame = er.WorstFrame(worst.record, picture, picture // 2, None, picture // 4)
    model = er.ModelResult(**{**vars(result.models[0]), "worst": (frame,)})
    html = write(er.EvaluationResult(**{**vars(result), "models": (model,)}))
    data = [base64.b64decode(found) for found in re.findall(r"data:image/jpeg;base64,([^\"]+)", html)]
    shown = [cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] for d in data]
    assert len(shown) == 3
    for expected, actual in zip((picture, picture // 2, picture // 4), shown, strict=True):
        assert np.abs(actual.astype(int) - expected).max() <= 4


def test_names_from_bags_and_models_cannot_become_markup(write, make_result):
    evil = '<script>alert(1)</script>&"'
    result = make_result(labels=(evil,), warnings=(evil,), command=evil)
    html = write(result)
    Document(html)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_without_ground_truth_the_page_says_so(write, make_result):
    html = write(make_result(truth=False))
    document = Document(html)
    assert document.texts["h1"] == ["No ground truth: speed and stability only"]
    assert "Reliability" not in document.texts["h3"]
    assert "maximum of the first 20 frames" in html
    assert "could not be measured" in html


def test_an_interrupted_run_is_announced_before_the_figures(write, make_result):
    html = write(make_result(interrupted=True, warnings=("interrupted after 3 frames", "something else")))
    assert '<p class="notice bad"><strong>Note.</strong> interrupted after 3 frames</p>' in html
    assert '<p class="notice"><strong>Note.</strong> something else</p>' in html
    assert html.index("something else") < html.index("<h2>Figures</h2>")


def test_a_region_of_few_pixels_is_neither_coloured_nor_called_the_worst(write, make_result):
    result = make_result()
    (model,) = result.models
    few = dataclasses.replace(model.by_region[0], pixels=3, metrics={"abs_rel": 9.87, "rmse": 9.0})
    model = dataclasses.replace(model, by_region=(few, *model.by_region[1:]))
    html = write(dataclasses.replace(result, models=(model,)))
    assert '--share: 0.000"><span class="faint">9.87</span>' in html
    assert "Worst in the image&#39;s bottom right" in html


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_bags_have_a_page_too(write, make_result, frames):
    Document(write(make_result(labels=("a", "b"), frames=frames)))


def test_a_long_bag_stays_light(write, make_result):
    assert len(write(make_result(frames=3000))) < 800_000


def test_bands_and_regions_without_pixels_are_left_empty(write, make_result):
    result = make_result()
    empty = er.Group("40-80 m", 0, 0, {})
    model = result.models[0]
    fields = {"by_distance": (*model.by_distance[:3], empty), "by_region": (empty, *model.by_region[1:])}
    changed = er.ModelResult(**{**vars(model), **fields})
    html = write(er.EvaluationResult(**{**vars(result), "models": (changed,)}))
    Document(html)
    assert html.count(">none<") == 2


def test_a_tall_camera_keeps_its_regions_shape(write, make_result):
    result = make_result()
    source = er.Source(**{**vars(result.source), "camera": Camera(500, 500, 239, 319, 480, 640)})
    assert "aspect-ratio: 480 / 640" in write(er.EvaluationResult(**{**vars(result), "source": source}))


@pytest.fixture
def browse(tmp_path):
    """Opens a file in headless Chromium: ``(errors, requests, dom)``, requests being those of the page."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser to look at the page with: none of {', '.join(BROWSERS)} is installed")

    def open_page(path):
        net_log = tmp_path / "net.json"
        result = subprocess.run(
            [
                browser,
                *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"),
                *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"),
                *(f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={net_log}", "--dump-dom"),
                path.as_uri(),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if result.returncode or not result.stdout:
            pytest.skip(f"{browser} does not run here: {result.stderr[-300:]}")
        errors = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
        parameters = [event.get("params", {}) for event in json.loads(net_log.read_text())["events"]]
        # The browser contacts hosts by itself; requests of the page are keyed by the page's origin.
        requests = {p["url"] for p in parameters if "file://" in str(p.get("network_isolation_key", ""))}
        return errors, requests, result.stdout

    return open_page


def test_a_browser_shows_the_page_without_error_or_request(browse, write, make_result, tmp_path):
    write(make_result(labels=("first", "second"), frames=60))
    errors, requests, dom = browse(tmp_path / "report.html")
    assert errors == []
    assert requests == set()
    assert dom.count("<svg") == 7
    assert "Error against sigma" in dom


def test_the_browser_would_tell_of_errors_and_requests(browse, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text('<img src="http://example.invalid/x.png"><script>console.error("oops")</script>')
    errors, requests, _ = browse(page)
    assert any("oops" in error for error in errors)
    assert "http://example.invalid/x.png" in requests
