// Numbers as people read them.

const plain = new Intl.NumberFormat("en");

export const counted = (number, noun) => `${plain.format(number)} ${noun}${number === 1 ? "" : "s"}`;

export function bytes(number) {
  return number < 1000 ? `${number} B` : number < 1e6 ? `${(number / 1e3).toFixed(number < 1e4 ? 2 : 1)} kB` : `${(number / 1e6).toFixed(1)} MB`;
}

export const bitsPerPixel = (number) => `${number < 1 ? number.toPrecision(2) : number.toFixed(2)} bpp`;
/** Whether a PSNR is known. That of a perfect fit is infinite; in JSON, which has no such number, it is "inf". */
export const isKnown = (psnr) => psnr === "inf" || (typeof psnr === "number" && !Number.isNaN(psnr));
export const decibels = (psnr) => `${Number.isFinite(psnr) ? psnr.toFixed(1) : "inf"} dB`;
export const percent = (share) => `${(100 * share).toPrecision(share < 0.1 ? 2 : 3)} %`;

export function times(magnification) {
  if (magnification >= 1e6) return `${magnification.toExponential(1).replace("e+", "e")} ×`;
  return `${magnification >= 100 ? plain.format(Math.round(magnification)) : magnification.toPrecision(3)} ×`;
}

export const milliseconds = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** A coordinate with as many digits as one pixel is worth. */
export const coordinate = (value, pitch) => value.toFixed(Math.min(16, Math.max(3, Math.ceil(-Math.log10(pitch)) + 1)));

export const values = (numbers) => numbers.map((value) => value.toFixed(3)).join(" ");

/** What is known of a code in a line, for a card. */
export function summary(code) {
  const known = [bytes(code.bytes)];
  if (code.bits_per_pixel !== undefined) known.push(bitsPerPixel(code.bits_per_pixel));
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
