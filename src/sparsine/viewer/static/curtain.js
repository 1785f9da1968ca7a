// A curtain between two pictures of one place: what is left of its edge is the original. A slider of the browser, so that mouse,
// fingers and keys move it; only its handle takes them, and what is around it is the picture.

import { element } from "./words.js";

const HANDLE = 32; // pixels, as in viewer.css: at both ends the middle of the handle stays inside

export class Curtain {
  /** Over `view`; `moved` is called after each movement. */
  constructor(view, moved) {
    this.slider = element("input", { type: "range", className: "curtain", min: 0, max: 1000, value: 500, hidden: true, ariaLabel: "Curtain: original to the left of it, fitted to the right" });
    this.slider.addEventListener("input", () => {
      this.#tell();
      moved();
    });
    for (const kind of ["pointerdown", "dblclick"]) this.slider.addEventListener(kind, (event) => event.stopPropagation()); // the picture stays
    this.#tell();
    view.append(this.slider);
  }

  get shown() {
    return !this.slider.hidden;
  }

  set shown(shown) {
    this.slider.hidden = !shown;
  }

  /** Part of the width that shows the original. */
  get share() {
    const width = this.slider.clientWidth || 1;
    return (HANDLE / 2 + (this.slider.value / 1000) * (width - HANDLE)) / width;
  }

  #tell() {
    this.slider.ariaValueText = `${Math.round(this.slider.value / 10)} % original`;
  }
}
