// A bar as long as a round number of samples.

import { element } from "./words.js";

const LONGEST = 120; // pixels of the page

/** The largest of 1, 2, 5, 10, ... that is at most `most`. */
export function round(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((digit) => digit * power).find((number) => number <= most * (1 + 1e-9));
}

/** "200 pixels", "1 pixel", "0.05 pixels", "2e-7 pixels" */
export function length(number, sample) {
  const digits = Math.ceil(-Math.log10(number) - 1e-9);
  const text = number >= 1 ? number.toLocaleString("en") : digits <= 4 ? number.toFixed(digits) : number.toExponential(0);
  return `${text} ${sample}${number === 1 ? "" : "s"}`;
}

export class ScaleBar {
  constructor(view) {
    this.words = element("span");
    this.bar = element("div", { className: "scale-bar" }, this.words);
    view.append(this.bar);
  }

  /** `scale`: device pixels for each sample. */
  paint(scale, sample) {
    const own = scale / (window.devicePixelRatio || 1);
    const number = round(LONGEST / own);
    this.bar.style.width = `${number * own}px`;
    this.words.textContent = length(number, sample);
  }
}
