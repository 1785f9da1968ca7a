// A code that is shown whole: fitted, original and error below each other, as pictures of its kind and to be played.

import { aborted, measuresOf, mediaOf, NO_PICTURE, pictureOf } from "./server.js";
import { Curtain } from "./curtain.js";
import { broken, element, plain } from "./words.js";

const SIDES = ["original", "fitted", "error"];

export class Sheet {
  constructor(place) {
    this.place = place;
    this.addresses = [];
    this.asking = new AbortController();
  }

  /** Whether the original lies over the fitted picture, behind a curtain, and not above it. */
  curtain(wanted) {
    this.place.classList.toggle("curtained", wanted);
    this.#entitle();
  }

  /** Show a code; `tell(measures)` gets what it is worth, `fail(error)` why there is no original. */
  async open(code, tell, fail) {
    this.close();
    const { signal } = (this.asking = new AbortController());
    this.place.hidden = false;
    const sides = code.no_original ? ["fitted"] : SIDES;
    const figures = sides.map((side) => element("figure", { className: `side ${side}` }, element("figcaption", {}, element("strong", { textContent: side }))));
    this.place.replaceChildren(...figures);
    for (const [number, side] of sides.entries()) if (!(await this.#fill(figures[number], side, code, signal))) return;
    this.#hang(figures);
    this.place.dataset.shown = code.name;
    if (code.no_original) return;
    try {
      const measures = await measuresOf(code, signal);
      if (!signal.aborted) tell(measures);
    } catch (error) {
      if (!aborted(error) && !signal.aborted) fail(error);
    }
  }

  close() {
    this.asking.abort();
    for (const address of this.addresses.splice(0)) URL.revokeObjectURL(address);
    this.place.replaceChildren();
    this.place.hidden = true;
    delete this.place.dataset.shown;
  }

  /** A curtain between two pictures of one size. */
  #hang(figures) {
    const [original, fitted] = figures.map((figure) => figure.querySelector("img"));
    if (!original || !fitted) return;
    const over = element("img", { className: "over", alt: "", src: original.src });
    const view = element("div", { className: "between" });
    fitted.replaceWith(view);
    view.append(fitted, over);
    const curtain = new Curtain(view, () => over.style.setProperty("--edge", `${100 * curtain.share}%`));
    curtain.shown = true;
    figures[0].classList.add("hung");
    this.#entitle();
  }

  #entitle() {
    const fitted = this.place.querySelector(".side.fitted:has(.between) strong");
    if (fitted) fitted.textContent = this.place.classList.contains("curtained") ? "original | fitted" : "fitted";
  }

  /** False where another code is asked for by now. */
  async #fill(figure, side, code, signal) {
    try {
      const address = await pictureOf(side, code, signal);
      this.#keep(address, signal);
      const image = element("img", { alt: `${code.name}, ${side}` });
      image.addEventListener("load", () => image.classList.toggle("shrunk", image.naturalWidth > image.clientWidth)); // thin lines stay
      image.src = address;
      figure.append(image);
    } catch (error) {
      if (aborted(error) || signal.aborted) return false;
      figure.append(error.status === NO_PICTURE ? plain(code, error.message) : broken(error.message));
    }
    return side === "error" ? !signal.aborted : this.#play(figure, side, code, signal);
  }

  async #play(figure, side, code, signal) {
    try {
      const media = await mediaOf(side, code, signal);
      if (media) {
        this.#keep(media.address, signal);
        figure.append(element(media.mime.startsWith("video/") ? "video" : "audio", { controls: true, src: media.address, ariaLabel: `${code.name}, ${side}` }));
      }
    } catch (error) {
      if (aborted(error)) return false; // why there is nothing to play stands where the picture would
    }
    return !signal.aborted;
  }

  #keep(address, signal) {
    if (signal.aborted) URL.revokeObjectURL(address);
    else this.addresses.push(address);
  }
}
