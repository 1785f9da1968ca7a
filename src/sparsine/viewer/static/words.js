// Numbers as people read them.

const grouped = new Intl.NumberFormat("en");

export const counted = (number, noun) => `${grouped.format(number)} ${noun}${number === 1 ? "" : "s"}`;

export function bytes(number) {
  return number < 1000 ? `${number} B` : number < 1e6 ? `${(number / 1e3).toFixed(number < 1e4 ? 2 : 1)} kB` : `${(number / 1e6).toFixed(1)} MB`;
}

export const rate = ({ bits_per_sample: bits, sample }) => `${bits < 1 ? bits.toPrecision(2) : bits.toFixed(2)} ${sample === "pixel" ? "bpp" : `bits/${sample}`}`;
/** How many samples a signal has: "13 × 17", or along one axis "8,000 samples". */
export const size = ({ shape, sample }) => (shape.length === 1 ? counted(shape[0], sample) : shape.join(" × "));
/** Whether a PSNR is known. That of a perfect fit is infinite; in JSON, which has no such number, it is "inf". */
export const isKnown = (psnr) => psnr === "inf" || (typeof psnr === "number" && !Number.isNaN(psnr));
export const decibels = (psnr) => `${Number.isFinite(psnr) ? psnr.toFixed(1) : "inf"} dB`;
export const percent = (share) => `${(100 * share).toPrecision(share < 0.1 ? 2 : 3)} %`;

export function times(magnification) {
  if (magnification >= 1e6) return `${magnification.toExponential(1).replace("e+", "e")} ×`;
  return `${magnification >= 100 ? grouped.format(Math.round(magnification)) : magnification.toPrecision(3)} ×`;
}

export const milliseconds = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** A coordinate with as many digits as one pixel is worth. */
export const coordinate = (value, pitch) => value.toFixed(Math.min(16, Math.max(3, Math.ceil(-Math.log10(pitch)) + 1)));

export const values = (numbers) => numbers.map((value) => value.toFixed(3)).join(" ");

/** What is known of a code in a line, for a card. */
export function summary(code) {
  const known = [bytes(code.bytes)];
  if (code.sample === "pixel") known.push(rate(code)); // of others it would not fit
  if (isKnown(code.psnr_db)) known.push(decibels(code.psnr_db));
  return known.join(" · ");
}

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A readable card in place of a picture. */
export function broken(reason, title = "cannot be drawn") {
  return element("div", { className: "broken" }, element("strong", { textContent: title }), element("span", { textContent: reason, title: reason }));
}

/** A card of a sound code that has no picture: what is known of it. */
export function plain(code, reason) {
  return element("div", { className: "broken plain", title: reason }, element("strong", { textContent: code.value_kind }), element("span", { textContent: size(code) }), element("span", { className: "quiet", textContent: "no preview" }));
}
