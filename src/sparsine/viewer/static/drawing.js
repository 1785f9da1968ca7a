// Asks for what the fitted panel shows: coarse while it moves, full once it rests; what nobody waits for is aborted.

import { aborted, draw } from "./server.js";

const COARSE = 4; // pixels of the screen to one of a coarse drawing, along each axis
const REST_MS = 80; // so long without a movement before a full drawing
const QUICK_MS = 60; // a full drawing that is expected so soon needs no coarse one before

export class Drawing {
  /** `show(layer, final, ms)` gets each drawing, `fail(error)` what went wrong. */
  constructor(camera, limits, show, fail, busy) {
    Object.assign(this, { camera, limits, show, fail, busy });
    this.code = null;
    this.msPerPixel = 0.0005;
    this.coarse = this.full = null; // AbortControllers of what is under way
    this.again = false;
  }

  /** Another code: nothing of the one before is shown any more. */
  setCode(code) {
    this.stop();
    this.code = code;
  }

  stop() {
    clearTimeout(this.timer);
    this.coarse?.abort();
    this.full?.abort();
    this.coarse = this.full = null;
    this.again = false;
    this.busy(false);
  }

  /** The camera moved. */
  moved() {
    this.full?.abort();
    this.full = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.drawFull(), REST_MS);
    if (this.#expectedMs() > QUICK_MS) this.drawCoarse();
  }

  async drawCoarse() {
    if (this.coarse) {
      this.again = true; // one at a time: each is quick, and an aborted one shows nothing
      return;
    }
    this.again = false;
    this.coarse = new AbortController();
    await this.#draw(COARSE, this.coarse);
    this.coarse = null;
    if (this.again) this.drawCoarse();
  }

  /** Everything at the screen's resolution, at once. */
  async drawFull() {
    clearTimeout(this.timer);
    this.full?.abort();
    const mine = (this.full = new AbortController());
    this.busy(true);
    await this.#draw(1, mine);
    if (this.full === mine) {
      this.full = null;
      this.busy(false);
    }
  }

  #expectedMs() {
    const { box } = this.camera.visible;
    return this.msPerPixel * (box.bottom - box.top) * (box.right - box.left);
  }

  async #draw(step, controller) {
    const { box, region } = this.camera.visible;
    const size = this.#size((box.bottom - box.top) / step, (box.right - box.left) / step);
    try {
      const { pixels, ms } = await draw(this.code, region, size, controller.signal);
      if (controller.signal.aborted) return;
      if (step === 1) this.msPerPixel = 0.5 * this.msPerPixel + (0.5 * ms) / (size[0] * size[1]);
      const canvas = document.createElement("canvas");
      [canvas.height, canvas.width] = size;
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      // a coarse one that comes late must not cover a full one of the same place
      if (step === 1 || !this.#isShown(region)) this.show({ source: canvas, region }, step === 1, ms);
      if (step === 1) Object.assign(this, { shown: region, shownCode: this.code });
    } catch (error) {
      if (!aborted(error) && !controller.signal.aborted) this.fail(error);
    }
  }

  #isShown(region) {
    return this.shown?.every((edge, i) => edge === region[i]) && this.shownCode === this.code;
  }

  /** Within what the server draws at most. */
  #size(rows, columns) {
    const over = Math.max(1, Math.sqrt((rows * columns) / this.limits.max_points), rows / this.limits.max_edge, columns / this.limits.max_edge);
    return [rows / over, columns / over].map((n) => Math.max(1, Math.floor(n)));
  }
}
