// One panel: a canvas that shows a picture through the camera, with what there is until something better comes.

import { broken, element } from "./words.js";

/** A part of the picture as pixels: { source, region }, the source anything that a canvas can draw. */
function paintLayer(context, camera, layer) {
  const { box, region: view } = camera.visible;
  const [y0, x0, y1, x1] = layer.region;
  const shown = [Math.max(y0, view[0]), Math.max(x0, view[1]), Math.min(y1, view[2]), Math.min(x1, view[3])];
  if (shown[0] >= shown[2] || shown[1] >= shown[3]) return;
  const { width, height } = layer.source;
  const [sy, sx] = [height / (y1 - y0), width / (x1 - x0)];
  const [dy, dx] = [(box.bottom - box.top) / (view[2] - view[0]), (box.right - box.left) / (view[3] - view[1])];
  context.drawImage(
    layer.source,
    (shown[1] - x0) * sx, (shown[0] - y0) * sy, (shown[3] - shown[1]) * sx, (shown[2] - shown[0]) * sy,
    box.left + (shown[1] - view[1]) * dx, box.top + (shown[0] - view[0]) * dy, (shown[3] - shown[1]) * dx, (shown[2] - shown[0]) * dy,
  );
}

export class Panel {
  constructor(name, title, note) {
    this.name = name;
    this.layers = [];
    this.canvas = element("canvas");
    this.cross = element("div", { className: "cross", hidden: true });
    this.view = element("div", { className: "view" }, this.canvas, this.cross);
    this.busy = element("span", { className: "busy" });
    this.heading = element("strong", { textContent: title });
    const caption = element("figcaption", {}, this.heading, ...note, this.busy);
    this.figure = element("figure", { className: `panel ${name}` }, caption, this.view);
    this.message = null;
    this.smooth = true;
  }

  set title(words) {
    this.heading.textContent = words;
  }

  /** Give the canvas the device pixels of its place; returns [rows, columns]. */
  resize() {
    const density = window.devicePixelRatio || 1;
    const size = [Math.round(this.view.clientHeight * density), Math.round(this.view.clientWidth * density)];
    if (size[0] && size[1] && (this.canvas.height !== size[0] || this.canvas.width !== size[1])) {
      [this.canvas.height, this.canvas.width] = size;
    }
    return size;
  }

  paint(camera) {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = this.smooth || camera.scale < 1;
    context.imageSmoothingQuality = "high";
    for (const layer of this.layers) paintLayer(context, camera, layer);
  }

  /** Paint another panel's picture over the left `share` of this one. */
  paintOver(camera, other, share) {
    const context = this.canvas.getContext("2d");
    const edge = Math.round(share * this.canvas.width);
    context.save();
    context.beginPath();
    context.rect(0, 0, edge, this.canvas.height);
    context.clip();
    context.clearRect(0, 0, edge, this.canvas.height);
    context.imageSmoothingEnabled = other.smooth || camera.scale < 1;
    for (const layer of other.layers) paintLayer(context, camera, layer);
    context.restore();
  }

  /** Mark a place, seen from another panel. */
  mark(camera, place) {
    const [py, px] = place ? camera.pixel(...place) : [-1, -1];
    this.cross.hidden = !(py >= 0 && px >= 0 && py < camera.height && px < camera.width);
    this.cross.style.top = `${(100 * py) / camera.height}%`;
    this.cross.style.left = `${(100 * px) / camera.width}%`;
  }

  /** Show why there is no picture; null takes it away. */
  refuse(reason, title) {
    this.message?.remove();
    this.message = reason === null ? null : broken(reason, title);
    if (this.message) this.view.append(this.message);
  }
}
