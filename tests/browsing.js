// What browsing.py asks of a page. Each function names what it finds; nothing found is well.

(globalThis.browsing = {
  /** Whatever one could follow, load or send elsewhere, of the page and of what its scripts add. */
  doors() {
    const names = ["href", "xlink:href", "action", "formaction", "src", "srcset", "data", "poster", "ping", "background"];
    const leads = (given) => {
      if (!URL.canParse(given, location.href)) return true;
      const url = new URL(given, location.href);
      return !["blob:", "data:"].includes(url.protocol) && url.host !== location.host;
    };
    return [...document.querySelectorAll("*")].flatMap((one) => [
      ...names.map((name) => one.getAttribute(name)).filter((given) => given && leads(given)),
      ...(one.matches("form, base, iframe, object, embed, meta[http-equiv=refresh i]") ? [one.outerHTML.slice(0, 100)] : []),
    ]);
  },

  /** Words of a chart that lie on others, or outside of it. A legend that scrolls shows what it can. */
  collisions() {
    const kinds = ".xtick text, .ytick text, .g-xtitle text, .g-ytitle text, .legendtext";
    const scrolls = (word) => word.closest(".legend")?.querySelector('.scrollbar[height]:not([height="0"])');
    const isShown = (word) => getComputedStyle(word).visibility === "visible" && word.getBoundingClientRect().width && !scrolls(word);
    const touch = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    return [...document.querySelectorAll("[data-figure]")].flatMap((place) => {
      const around = place.getBoundingClientRect();
      const words = [...place.querySelectorAll(kinds)].filter(isShown).map((word) => [word.textContent, word.getBoundingClientRect()]);
      const outside = words.filter(([, a]) => a.left < around.left || a.right > around.right || a.bottom > around.bottom);
      const pairs = words.flatMap(([one, a], i) => words.slice(i + 1).filter(([, b]) => touch(a, b)).map(([other]) => `${one} on ${other}`));
      return [...pairs, ...outside.map(([one]) => `${one} outside`)].map((found) => `${place.id}: ${found}`);
    });
  },

  /** What is wider or higher than its place where one cannot scroll, or beyond the screen. What ends after so many lines
   * does it on purpose: it is whole elsewhere. */
  cut() {
    return [...document.querySelectorAll("body *")].filter((one) => {
      if (!one.checkVisibility() || one.closest("svg, [data-figure], .unseen")) return false;
      const style = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      if (style.webkitLineClamp !== "none") return false;
      const hides = (way) => ["hidden", "clip"].includes(style[way]);
      const isBeyond = box.width && !one.closest(".scroll") && (box.left < -1 || box.right > innerWidth + 1);
      const isWider = hides("overflowX") && one.scrollWidth > one.clientWidth + 1;
      const isHigher = hides("overflowY") && one.scrollHeight > one.clientHeight + 1;
      return isBeyond || isWider || isHigher;
    }).map((one) => `${one.tagName}#${one.id}.${one.className}: ${one.textContent.trim().slice(0, 60)}`);
  },

  /** What scrolls sideways without a name, or without the keyboard's focus. */
  unreachable() {
    return [...document.querySelectorAll("body *")].filter((one) => {
      if (!one.checkVisibility() || one.scrollWidth <= one.clientWidth + 1) return false;
      if (!["auto", "scroll"].includes(getComputedStyle(one).overflowX)) return false;
      return one.tabIndex !== 0 || one.getAttribute("role") !== "region" || !one.getAttribute("aria-label");
    }).map((one) => one.outerHTML.slice(0, 120));
  },

  pause: (ms) => new Promise((done) => setTimeout(done, ms)),

  async pressAll(selector) {
    for (const one of document.querySelectorAll(selector)) {
      one.click();
      await browsing.pause(30);
    }
    await browsing.pause(400);
  },
}), 0;
