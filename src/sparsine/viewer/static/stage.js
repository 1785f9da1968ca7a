// One code: original, fitted and error side by side through one camera, a slider over its levels, and numbers.

import { Camera } from "./camera.js";
import { Curtain } from "./curtain.js";
import { Drawing } from "./drawing.js";
import { edgeFor } from "./gallery.js";
import { handle, press } from "./pointer.js";
import { Panel } from "./panel.js";
import { hashOf } from "./route.js";
import { ScaleBar } from "./scale_bar.js";
import { aborted, askFor, thumbnailAddress, whole } from "./server.js";
import { Sheet } from "./sheet.js";
import { bytes, coordinate, decibels, element, isKnown, milliseconds, percent, rate, size, times, values } from "./words.js";

const WHOLE = [0, 0, 1, 1];
const $ = (id) => document.getElementById(id);

export class Stage {
  constructor(folder, neighbour) {
    this.folder = folder;
    this.neighbour = neighbour; // (name, step) => Promise of { code, place, total } or null
    this.camera = new Camera();
    this.panels = {
      original: new Panel("original", "original", []),
      fitted: new Panel("fitted", "fitted", [element("span", { className: "how" })]),
      error: new Panel("error", "error", [element("span", { textContent: "0" }), element("span", { className: "scale" }), element("span", { textContent: "0.25" })]),
    };
    this.panels.original.smooth = this.panels.error.smooth = false; // samples are squares
    this.wanted = new Set(["original", "fitted", "error"]);
    this.curtain = new Curtain(this.panels.fitted.view, () => this.#paint());
    this.curtainWanted = false;
    this.scaleBar = new ScaleBar(this.panels.fitted.view);
    this.drawing = new Drawing(this.camera, folder, (...drawn) => this.#show(...drawn), (error) => this.#fail(error),
      (busy) => this.panels.fitted.figure.classList.toggle("drawing", busy));
    this.whole = new AbortController();
    this.sheet = new Sheet($("sheet"));
    this.#prepare();
  }

  /** Give the keyboard to what is shown. */
  focus() {
    $($("sheet").hidden ? "panels" : "sheet").focus({ preventScroll: true });
  }

  /** Show a code; false where there is none of that name. */
  async open({ name, level, look }) {
    const same = this.signal?.name === name;
    $("stage").hidden = false;
    if (!same) {
      this.#leave();
      this.signal = { name, levels: [] };
      $("name").textContent = document.title = name;
      $("name").title = name;
      $("facts").replaceChildren();
      $("slider").hidden = true;
      $("place").textContent = "";
      try {
        const signal = await askFor("/api/code", { name });
        if (this.signal?.name !== name) return;
        this.signal = signal;
      } catch (error) {
        this.#layOut(["fitted"]);
        this.panels.fitted.refuse(error.message, "There is nothing to draw");
        return;
      }
    }
    const levels = this.signal.levels;
    const found = levels.findIndex((one) => one.level === level);
    this.#choose(found < 0 ? levels.length - 1 : found, look);
    if (!same) this.#tellPlace();
  }

  close() {
    this.#leave();
    this.signal = null;
    $("stage").hidden = true;
  }

  /** What a key does; false where it does nothing. */
  key(key) {
    if (key === "[" || key === "]") return this.#step(key === "]" ? 1 : -1);
    if (key === "n" || key === "p") return this.#go(key === "n" ? 1 : -1);
    if (key === "c") return this.#drawCurtain();
    if (!this.#zooms || !press(key, this.camera)) return false;
    this.#moved();
    return true;
  }

  #prepare() {
    for (const panel of Object.values(this.panels)) {
      $("panels").append(panel.figure);
      handle(panel.view, this.camera, () => this.#moved());
      panel.view.addEventListener("pointermove", (event) => this.#point(panel, event));
      panel.view.addEventListener("pointerleave", () => this.#point(panel, null));
      const toggle = element("button", { className: "button", type: "button", textContent: panel.name });
      toggle.addEventListener("click", () => this.#toggle(panel.name));
      toggle.dataset.panel = panel.name;
      $("toggles").append(toggle);
    }
    this.curtainButton = element("button", { className: "button", type: "button", textContent: "curtain", title: "A curtain between original and fitted (C)" });
    this.curtainButton.addEventListener("click", () => this.#drawCurtain());
    $("toggles").append(this.curtainButton);
    for (const [id, key] of [["in", "+"], ["out", "-"], ["fit", "0"]]) $(id).addEventListener("click", () => this.key(key));
    $("next").addEventListener("click", () => this.#go(1));
    $("previous").addEventListener("click", () => this.#go(-1));
    $("level").addEventListener("input", () => this.#choose(Number($("level").value), null));
    $("save").addEventListener("click", () => this.#save());
    new ResizeObserver(() => this.#resized()).observe($("panels"));
  }

  /** Show one level of the signal. What the camera looks at stays. */
  #choose(place, look) {
    const code = (this.code = this.signal.levels[place]);
    this.level = place;
    this.#tellFacts();
    this.#tellLevels();
    this.drawing.setCode(code);
    this.whole.abort();
    this.whole = new AbortController();
    for (const panel of Object.values(this.panels)) panel.refuse(null);
    this.sheet.close();
    this.#showTools(code.error || code.zoomed);
    if (!code.error && !code.zoomed) {
      this.#openSheet(code);
      return;
    }
    if (code.error) {
      this.#forget();
      this.#layOut(["fitted"]);
      this.panels.fitted.layers = [];
      this.panels.fitted.paint(this.camera);
      this.panels.fitted.refuse(code.error, "This code cannot be drawn");
      return;
    }
    document.body.classList.toggle("one-channel", code.channels === 1);
    this.camera.setPicture(...code.shape);
    this.#layOut(code.no_original || this.failedOriginal ? ["fitted"] : [...this.wanted]);
    if (look) this.camera.look(look.y, look.x, look.scale);
    this.#overview(code);
    this.#paint();
    this.drawing.drawFull();
    this.#compare(code, this.whole.signal);
    this.#remember();
  }

  /** Whether what is shown is a picture that one zooms into. */
  get #zooms() {
    return Boolean(this.code && !this.code.error && this.code.zoomed);
  }

  #showTools(zooming) {
    for (const id of ["panels", "zoom", "numbers", "save"]) $(id).hidden = !zooming;
    $("stage").classList.toggle("sheet", !zooming);
  }

  #openSheet(code) {
    this.#forget();
    this.#note(code.no_original ? this.#whyFittedOnly(code) : "");
    this.curtainButton.setAttribute("aria-pressed", String(this.curtainWanted));
    this.sheet.curtain(this.curtainWanted);
    this.sheet.open(code, (measures) => this.#tellFacts(measures), (error) => this.#note(`Not measured: ${error.message}`));
    this.focus();
    this.#remember();
  }

  #whyFittedOnly(code) {
    return this.folder.originals ? `Fitted only: ${code.no_original}` : "Fitted only: start the viewer with --originals to compare";
  }

  /** The thumbnail, which is there already, until the drawing comes. */
  #overview(code) {
    if (this.panels.fitted.layers.length) return; // what another level shows is nearer
    const image = new Image();
    image.onload = () => {
      if (this.code === code && !this.panels.fitted.layers.length) {
        this.panels.fitted.layers = [{ source: image, region: WHOLE }];
        this.#paint();
      }
    };
    image.src = thumbnailAddress(code, edgeFor(200));
  }

  async #compare(code, signal) {
    if (code.no_original) {
      this.#note(this.#whyFittedOnly(code));
      return;
    }
    try {
      const original = await whole("original", code, signal);
      this.failedOriginal = false;
      this.panels.original.layers = [{ source: original.bitmap, region: WHOLE }];
      this.#note("");
      this.#layOut([...this.wanted]);
      this.#paint();
      const error = await whole("error", code, signal);
      this.panels.error.layers = [{ source: error.bitmap, region: WHOLE }];
      if (code.psnr_db === null) code.psnr_db = error.told;
      this.#tellFacts();
      this.#paint();
    } catch (error) {
      if (aborted(error) || signal.aborted) return;
      this.failedOriginal = true;
      this.#note(`Fitted only: ${error.message}`);
      this.#layOut(["fitted"]);
      this.#moved();
    }
  }

  #note(text) {
    $("compare-note").textContent = text;
    $("compare-note").hidden = !text;
    $("toggles").hidden = Boolean(text);
    $("original-value-row").hidden = Boolean(text);
  }

  #layOut(names) {
    this.curtain.shown = this.curtainWanted && this.#compares;
    const shown = this.curtain.shown ? ["fitted", ...names.filter((name) => name === "error")] : names;
    for (const [name, panel] of Object.entries(this.panels)) panel.figure.hidden = !shown.includes(name);
    this.panels.fitted.title = this.curtain.shown ? "original | fitted" : "fitted";
    for (const toggle of $("toggles").children) toggle.setAttribute("aria-pressed", String(this.wanted.has(toggle.dataset.panel)));
    this.curtainButton.setAttribute("aria-pressed", String(this.curtainWanted));
    this.#measure();
  }

  #toggle(name) {
    if (this.wanted.has(name) && this.wanted.size > 1) this.wanted.delete(name);
    else this.wanted.add(name);
    this.#layOut([...this.wanted]);
    this.#moved();
  }

  /** Whether there is an original beside what is fitted. */
  get #compares() {
    return Boolean(this.code && !this.code.error && !this.code.no_original && !this.failedOriginal);
  }

  #drawCurtain() {
    if (!this.#compares) return false;
    this.curtainWanted = !this.curtainWanted;
    this.curtainButton.setAttribute("aria-pressed", String(this.curtainWanted));
    this.sheet.curtain(this.curtainWanted);
    if (!this.#zooms) return true;
    this.#layOut([...this.wanted]);
    this.#moved();
    return true;
  }

  get #visible() {
    return Object.values(this.panels).filter((panel) => !panel.figure.hidden);
  }

  #measure() {
    const sizes = this.#visible.map((panel) => panel.resize());
    if (sizes.length && sizes[0][0]) this.camera.setPanel(Math.min(...sizes.map((s) => s[0])), Math.min(...sizes.map((s) => s[1])));
  }

  #resized() {
    if ($("stage").hidden || !this.#zooms) return;
    const before = `${this.camera.height} ${this.camera.width}`;
    this.#measure();
    if (before !== `${this.camera.height} ${this.camera.width}`) this.#moved();
    else this.#paint();
  }

  #moved() {
    if (!this.#zooms) return;
    this.#paint();
    this.drawing.moved();
    this.#remember();
    if (this.pointed) this.#ask();
  }

  #paint() {
    for (const panel of this.#visible) {
      panel.resize();
      panel.paint(this.camera);
      panel.mark(this.camera, this.pointed && this.pointedPanel !== panel ? this.pointed : null);
    }
    if (this.curtain.shown && this.panels.original.layers.length) this.panels.fitted.paintOver(this.camera, this.panels.original, this.curtain.share);
    if (this.code) this.scaleBar.paint(this.camera.scale, this.code.sample ?? "sample");
    $("magnification").textContent = times(this.camera.scale);
  }

  #show(layer, final, ms) {
    const kept = this.panels.fitted.layers.filter((one) => one.region === WHOLE).slice(0, 1);
    const whole = layer.region.every((edge, i) => edge === WHOLE[i]);
    this.panels.fitted.layers = whole ? [{ ...layer, region: WHOLE }] : [...kept, layer];
    this.panels.fitted.refuse(null);
    if (final) $("ms").textContent = milliseconds(ms);
    if (final) this.panels.fitted.figure.querySelector(".how").textContent = `${layer.source.height} × ${layer.source.width} pixels`;
    $("stage").dataset.drawn = final ? "full" : "coarse";
    this.#paint();
  }

  #fail(error) {
    this.panels.fitted.refuse(error.message, "This view was not drawn");
  }

  #point(panel, event) {
    const box = panel.view.getBoundingClientRect();
    const place = event && this.camera.at(((event.clientY - box.top) / box.height) * this.camera.height, ((event.clientX - box.left) / box.width) * this.camera.width);
    const within = place?.every((fraction) => fraction >= 0 && fraction < 1);
    this.pointed = within ? place : null;
    this.pointedPanel = panel;
    for (const one of this.#visible) one.mark(this.camera, one === panel ? null : this.pointed);
    if (this.pointed) this.#ask();
    else for (const id of ["at", "value", "original-value"]) $(id).textContent = "";
  }

  /** The value under the pointer, one request at a time. */
  async #ask() {
    if (this.asking || !this.code) {
      this.askAgain = true;
      return;
    }
    this.asking = true;
    this.askAgain = false;
    const { code, pointed } = this;
    try {
      const told = await askFor("/value", { name: code.name, level: code.level, at: pointed.join(",") });
      if (this.pointed && this.code === code) this.#tellValue(told);
    } catch {
      // the next movement asks again
    }
    this.asking = false;
    if (this.askAgain && this.pointed) this.#ask();
  }

  #tellValue(told) {
    const pitch = 1 / (this.camera.scale * Math.max(this.camera.rows, this.camera.columns));
    $("at").textContent = told.coords.map((c) => coordinate(c, pitch)).join(", ");
    $("value").textContent = values(told.value);
    $("original-value").textContent = told.original ? values(told.original) : "";
  }

  #tellFacts(measures = []) {
    const { code } = this;
    const facts = [["file", bytes(code.bytes)]];
    if (!code.error) {
      facts.unshift(["size", size(code)]);
      facts.push(["rate", rate(code)]);
      if (isKnown(code.psnr_db) && !measures.length) facts.push(["PSNR", decibels(code.psnr_db)]);
      for (const { label, value } of measures) if (value !== null) facts.push([label, value === "inf" ? "inf" : value.toPrecision(3)]);
      facts.push(["weights", `${code.weights.toLocaleString("en")}, ${percent(code.density)} of the dense field`], ["start", code.start]);
    }
    $("facts").replaceChildren(...facts.map(([term, text]) => element("div", {}, element("dt", { textContent: term }), element("dd", { textContent: text }))));
  }

  #tellLevels() {
    const { levels } = this.signal;
    $("slider").hidden = levels.length < 2;
    $("level").max = levels.length - 1;
    $("level").value = this.level;
    const { code } = this;
    const known = [code.level || "(the folder itself)", bytes(code.bytes)];
    if (!code.error) known.splice(1, 0, percent(code.density));
    if (isKnown(code.psnr_db)) known.push(decibels(code.psnr_db));
    $("level-name").textContent = known.join(" · ");
  }

  #step(by) {
    const place = this.level + by;
    if (this.signal?.levels[place]) this.#choose(place, null);
    return true;
  }

  #go(by) {
    this.neighbour(this.signal.name, by).then((found) => {
      if (found) location.hash = hashOf({ name: found.code.name, level: this.signal.levels.length > 1 ? this.code.level : found.code.level });
    });
    return true;
  }

  async #tellPlace() {
    const found = await this.neighbour(this.signal.name, 0);
    if (!found || found.code.name !== this.signal?.name) return;
    $("place").textContent = `${found.place + 1} of ${found.total}`;
    $("previous").disabled = found.place === 0;
    $("next").disabled = found.place + 1 >= found.total;
  }

  /** Keep what is looked at in the address, without a step in the history. */
  #remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => {
      if (!this.code) return;
      const { name, level } = this.code;
      const { y, x, scale, fitted } = this.camera;
      history.replaceState(null, "", hashOf({ name, level, ...(fitted || !this.#zooms ? {} : { at: `${y},${x}`, scale }) }));
    }, 250);
  }

  #save() {
    this.panels.fitted.canvas.toBlob((blob) => {
      const link = element("a", { href: URL.createObjectURL(blob), download: `${this.code.name}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  #leave() {
    this.drawing.stop();
    this.sheet.close();
    this.#showTools(true);
    this.whole.abort();
    clearTimeout(this.remembering);
    this.code = this.pointed = null;
    this.failedOriginal = false;
    delete $("stage").dataset.drawn;
    for (const panel of Object.values(this.panels)) {
      panel.layers = [];
      panel.refuse(null);
    }
    this.#forget();
    this.camera.fit();
  }

  /** What was told of a drawing that is no longer shown. */
  #forget() {
    for (const id of ["ms", "at", "value", "original-value", "magnification", "compare-note"]) $(id).textContent = "";
    this.panels.fitted.figure.querySelector(".how").textContent = "";
    $("compare-note").hidden = $("toggles").hidden = true;
  }
}
