"""Reads the pages that the package writes."""

import json
import re
from html.parser import HTMLParser

import pytest

BESIDE = re.compile(r"[a-z-]+\.(html|jsonl?)")
"""A file of ours in the folder of the page."""
LOADING = {"src", "srcset", "href", "poster", "data", "action", "background", "formaction", "ping", "xlink:href"}


class Page(HTMLParser):
    """What a page holds: elements with their attributes, the words that a reader sees, scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words, self.scripts, self.styles = [], [], []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        {"script": self.scripts, "style": self.styles}.get(self._inside, self.words).append(data)

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def figures(self) -> dict:
        found = self.text.split('<script type="application/json" id="figures">')[1].split("</script>")[0]
        return json.loads(found, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))

    @property
    def reading(self) -> str:
        return " ".join(" ".join(self.words).split())


def assert_loads_nothing(page: Page) -> None:
    """The page asks nothing of any network, and tells the browser to refuse."""
    for tag, attributes in page.elements:
        for name in LOADING & attributes.keys():
            leads_beside = tag == "a" and name == "href" and BESIDE.fullmatch(attributes[name])
            embedded = attributes[name].startswith("data:image/png;base64,")
            assert leads_beside or embedded, (tag, name, attributes[name][:80])
    assert not {"form", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.elements}
    assert all("@import" not in style and "url(" not in style for style in page.styles)
    (policy,) = [meta["content"] for meta in page.named("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = [rule.strip() for rule in policy.split(";")]
    assert {"default-src 'none'", "form-action 'none'", "base-uri 'none'"} <= set(rules)
    assert "http" not in policy
