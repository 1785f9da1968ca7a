// Which part of the picture is on the screen. Places are fractions of the picture (y, x); `scale` is device pixels for
// each sample of the signal. All panels look through one camera.

const MOST_SCALE = 1e10; // float64 fractions still tell pixels apart

export class Camera {
  constructor() {
    this.rows = this.columns = 1;
    this.height = this.width = 1;
    this.y = this.x = 0.5;
    this.scale = 1;
    this.fitted = true;
  }

  get fitScale() {
    return Math.min(this.height / this.rows, this.width / this.columns);
  }

  /** The signal has so many samples. */
  setPicture(rows, columns) {
    if (rows === this.rows && columns === this.columns) return;
    Object.assign(this, { rows, columns });
    this.fit();
  }

  /** A panel has so many device pixels. */
  setPanel(height, width) {
    Object.assign(this, { height: Math.max(1, height), width: Math.max(1, width) });
    if (this.fitted) this.fit();
    else this.#settle();
  }

  fit() {
    Object.assign(this, { y: 0.5, x: 0.5, scale: this.fitScale, fitted: true });
  }

  look(y, x, scale) {
    Object.assign(this, { y, x, scale, fitted: false });
    this.#settle();
  }

  /** Zoom so that what is under the pixel (py, px) stays there. */
  zoom(factor, py = this.height / 2, px = this.width / 2) {
    const [y, x] = this.at(py, px);
    const scale = Math.min(MOST_SCALE, Math.max(this.fitScale, this.scale * factor));
    this.fitted = scale <= this.fitScale * 1.0001;
    this.scale = scale;
    this.y = y - (py - this.height / 2) / (scale * this.rows);
    this.x = x - (px - this.width / 2) / (scale * this.columns);
    this.#settle();
  }

  /** Move what is seen by so many pixels. */
  move(dy, dx) {
    this.y -= dy / (this.scale * this.rows);
    this.x -= dx / (this.scale * this.columns);
    this.#settle();
  }

  /** The place under a pixel. */
  at(py, px) {
    return [this.y + (py - this.height / 2) / (this.scale * this.rows), this.x + (px - this.width / 2) / (this.scale * this.columns)];
  }

  /** The pixel over a place. */
  pixel(y, x) {
    return [this.height / 2 + (y - this.y) * this.scale * this.rows, this.width / 2 + (x - this.x) * this.scale * this.columns];
  }

  /** The pixels that show the picture, and the part of it that they show. */
  get visible() {
    const [top, left] = this.pixel(0, 0);
    const [bottom, right] = this.pixel(1, 1);
    const box = {
      top: Math.max(0, Math.round(top)), left: Math.max(0, Math.round(left)),
      bottom: Math.min(this.height, Math.round(bottom)), right: Math.min(this.width, Math.round(right)),
    };
    box.bottom = Math.max(box.top + 1, box.bottom);
    box.right = Math.max(box.left + 1, box.right);
    const [y0, x0] = this.at(box.top, box.left).map(inside);
    const [y1, x1] = this.at(box.bottom, box.right).map(inside);
    // where the picture ends on the screen, it ends with a whole pixel
    return { box, region: [top > -0.5 ? 0 : y0, left > -0.5 ? 0 : x0, bottom < this.height + 0.5 ? 1 : y1, right < this.width + 0.5 ? 1 : x1] };
  }

  #settle() {
    this.scale = Math.min(MOST_SCALE, Math.max(this.fitScale, this.scale));
    this.y = settled(this.y, this.height / (this.scale * this.rows));
    this.x = settled(this.x, this.width / (this.scale * this.columns));
  }
}

const inside = (fraction) => Math.min(1, Math.max(0, fraction));

/** The middle of a window of `share` that leaves nothing beside the picture where it need not. */
const settled = (middle, share) => (share >= 1 ? 0.5 : Math.min(1 - share / 2, Math.max(share / 2, middle)));
