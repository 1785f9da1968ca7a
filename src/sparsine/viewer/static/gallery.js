// All codes as thumbnails. Only the cards near the screen exist, so that a million codes cost what a hundred do.

import { askFor, NO_PICTURE, thumbnailAddress } from "./server.js";
import { broken, counted, element, plain, summary } from "./words.js";
import { hashOf } from "./route.js";

const PAGE = 100;
const GAP = 16;
const CARD = 200; // at least so wide
const NARROW = matchMedia("(max-width: 720px)");
const wordsHeight = () => (NARROW.matches ? 80 : 56); // under a picture; narrow cards have their words in two lines
const $ = (id) => document.getElementById(id);

export class Gallery {
  constructor(folder) {
    this.folder = folder;
    this.catalogue = $("catalogue");
    this.cards = $("cards");
    this.shown = new Map(); // place in the list -> card
    this.#prepare();
    this.reload();
  }

  /** What the list is asked with. */
  get query() {
    const level = $("levels").value;
    return { search: $("search").value, sort: $("sort").value, level: level === "*" ? undefined : level.slice(1) };
  }

  /** One code of the list as it stands; null beyond its ends. */
  async at(place) {
    if (place < 0) return null;
    const { codes, total } = await askFor("/api/codes", { ...this.query, first: place, count: 1 });
    return codes.length ? { code: codes[0], total } : null;
  }

  /** The place of a code in the list, as far as it was seen; -1 where not. */
  placeOf(name) {
    for (const [number, page] of this.pages) {
      const within = page.codes?.findIndex((code) => code.name === name) ?? -1;
      if (within >= 0) return number * PAGE + within;
    }
    return -1;
  }

  async reload() {
    const pages = (this.pages = new Map());
    this.total = 0;
    this.failed = null;
    await this.#load(0);
    if (pages !== this.pages) return; // asked anew meanwhile
    this.#clear();
    this.catalogue.scrollTop = 0;
    this.#tell();
    this.arrange();
  }

  /** Place the cards that can be seen. */
  arrange() {
    const room = this.cards.clientWidth;
    if (!room) return;
    const columns = Math.max(2, Math.floor((room + GAP) / (CARD + GAP)));
    const width = (room - GAP * (columns - 1)) / columns;
    const words = wordsHeight();
    const step = width + words + GAP;
    const rows = Math.ceil(this.total / columns);
    this.cards.style.height = `${Math.max(0, rows * step - GAP)}px`;
    const first = Math.max(0, Math.floor(this.catalogue.scrollTop / step) - 1) * columns;
    const last = Math.min(this.total, (Math.ceil((this.catalogue.scrollTop + this.catalogue.clientHeight) / step) + 1) * columns);
    for (const [place, card] of this.shown) if (place < first || place >= last) this.#drop(place, card);
    for (let place = first; place < last; place++) {
      const style = this.#card(place, width).style;
      style.width = `${width}px`;
      style.height = `${width + words}px`;
      style.transform = `translate(${(place % columns) * (width + GAP)}px, ${Math.floor(place / columns) * step}px)`;
    }
  }

  #prepare() {
    const { levels, folder } = this.folder;
    $("folder").textContent = folder;
    $("levels").append(element("option", { value: "*", textContent: "last of each" }));
    for (const level of levels) $("levels").append(element("option", { value: `=${level}`, textContent: level || "(the folder itself)" }));
    $("levels-field").hidden = levels.length < 2;
    let timer;
    $("search").addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.reload(), 120);
    });
    for (const id of ["sort", "levels"]) $(id).addEventListener("change", () => this.reload());
    let asked = false;
    const soon = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        this.arrange();
      });
    };
    this.catalogue.addEventListener("scroll", soon, { passive: true });
    new ResizeObserver(soon).observe(this.cards);
  }

  #load(number) {
    if (this.pages.has(number)) return this.pages.get(number).coming;
    const page = { codes: null };
    const pages = this.pages;
    pages.set(number, page);
    page.coming = askFor("/api/codes", { ...this.query, first: number * PAGE, count: PAGE }).then(
      (answer) => {
        page.codes = answer.codes;
        if (pages === this.pages) this.total = answer.total;
      },
      (error) => {
        pages.delete(number);
        if (pages === this.pages) this.failed = error.message;
      },
    );
    return page.coming;
  }

  #tell() {
    const searched = $("search").value.trim();
    $("count").textContent = this.failed ? "" : searched ? `${counted(this.total, "code")} of ${this.folder.codes}` : counted(this.total, "code");
    $("empty").hidden = this.total > 0;
    const { links } = this.folder;
    const leftOut = links && !searched ? ` ${counted(links, "link")} ${links === 1 ? "was" : "were"} left out: no link is followed.` : "";
    $("empty").textContent = this.failed || (searched ? "No code has a name like that." : "There is no code (.spn) in this folder yet. sparsine encode writes them; load the page again afterwards.") + leftOut;
    this.catalogue.hidden = !this.total;
  }

  #card(place, width) {
    if (this.shown.has(place)) return this.shown.get(place);
    const card = element("a", { className: "card" }, element("div", { className: "picture" }), element("div", { className: "words" }));
    this.shown.set(place, card);
    this.cards.append(card);
    const page = this.#load(Math.floor(place / PAGE));
    const code = this.pages.get(Math.floor(place / PAGE))?.codes?.[place % PAGE];
    if (code) this.#fill(card, code, width);
    else page.then(() => this.shown.get(place) === card && this.#fill(card, this.pages.get(Math.floor(place / PAGE))?.codes?.[place % PAGE], width));
    return card;
  }

  #fill(card, code, width) {
    if (!code) return;
    const [picture, words] = card.children;
    card.href = hashOf({ name: code.name, level: code.level });
    words.append(
      element("span", { className: "title", textContent: code.name, title: code.name }),
      element("span", { className: "numbers", textContent: summary(code) }),
    );
    if (code.error) {
      picture.append(broken(code.error));
      return;
    }
    const image = element("img", { alt: "", decoding: "async" });
    image.addEventListener("load", () => image.classList.add("here"));
    image.addEventListener("error", () => image.isConnected && this.#explain(picture, code));
    image.src = thumbnailAddress(code, edgeFor(width));
    picture.append(image);
  }

  /** An image says only that it failed; the server says why. */
  async #explain(picture, code) {
    const answer = await fetch(thumbnailAddress(code, 32)).catch(() => null);
    const told = answer && !answer.ok ? await answer.json().catch(() => ({})) : {};
    const reason = told.error || "The viewer did not answer.";
    picture.replaceChildren(answer?.status === NO_PICTURE ? plain(code, reason) : broken(reason));
  }

  #drop(place, card) {
    const image = card.querySelector("img");
    if (image && !image.complete) image.src = ""; // nobody waits for it any more
    card.remove();
    this.shown.delete(place);
  }

  #clear() {
    for (const [place, card] of [...this.shown]) this.#drop(place, card);
  }
}

/** Few sizes, so that the server draws each thumbnail once. */
export const edgeFor = (width) => (width * (window.devicePixelRatio || 1) > 224 ? 384 : 192);
