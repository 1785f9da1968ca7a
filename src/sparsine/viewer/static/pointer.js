// Wheel, drag, pinch and keys, as movements of a camera.

const WHEEL_ZOOM = 0.0016;
const PINCH_WHEEL_ZOOM = 0.01; // two fingers on a trackpad come as a wheel with ctrl
const LINE_PIXELS = 16;
const KEY_ZOOM = 1.5;

/** Let `view` (an element) move `camera`; `moved` is called after each movement. */
export function handle(view, camera, moved) {
  const fingers = new Map();
  const place = (event) => {
    const box = view.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * camera.height, ((event.clientX - box.left) / box.width) * camera.width];
  };

  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    const turned = event.deltaY * (event.deltaMode === 1 ? LINE_PIXELS : 1);
    camera.zoom(Math.exp(-turned * (event.ctrlKey ? PINCH_WHEEL_ZOOM : WHEEL_ZOOM)), ...place(event));
    moved();
  }, { passive: false });

  view.addEventListener("dblclick", (event) => {
    camera.zoom(event.shiftKey ? 1 / 3 : 3, ...place(event));
    moved();
  });

  view.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    view.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    view.classList.add("moving");
  });

  view.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = [...fingers.values()];
    fingers.set(event.pointerId, place(event));
    const after = [...fingers.values()];
    const [from, to] = [middle(before), middle(after)];
    camera.move(to[0] - from[0], to[1] - from[1]);
    if (after.length > 1) camera.zoom(spread(after) / Math.max(1, spread(before)), ...to);
    moved();
  });

  for (const end of ["pointerup", "pointercancel"]) {
    view.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (!fingers.size) view.classList.remove("moving");
    });
  }
}

/** What a key does to the camera; false where it does nothing. */
export function press(key, camera) {
  const step = 0.15 * Math.min(camera.height, camera.width);
  const actions = {
    "+": () => camera.zoom(KEY_ZOOM), "=": () => camera.zoom(KEY_ZOOM),
    "-": () => camera.zoom(1 / KEY_ZOOM), "0": () => camera.fit(),
    ArrowUp: () => camera.move(step, 0), ArrowDown: () => camera.move(-step, 0),
    ArrowLeft: () => camera.move(0, step), ArrowRight: () => camera.move(0, -step),
  };
  if (!(key in actions)) return false;
  actions[key]();
  return true;
}

const middle = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
const spread = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
