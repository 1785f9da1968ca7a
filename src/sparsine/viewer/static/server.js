// Requests to the server. A refused one becomes an Error whose message can be shown.

function address(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return `${path}?${new URLSearchParams(given)}`;
}

async function ask(path, query, signal) {
  let answer;
  try {
    answer = await fetch(address(path, query), { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The viewer does not answer; is it still running in its terminal?");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(told.error || `The viewer answered ${answer.status}.`), { status: answer.status });
}

export const aborted = (error) => error.name === "AbortError";

export const askFor = async (path, query = {}, signal = undefined) => (await ask(path, query, signal)).json();

export const thumbnailAddress = (code, edge) =>
  address("/thumbnail", { name: code.name, level: code.level, edge, version: code.version });

/** Pixels of `size` (rows, columns), and the number that stands behind them: { pixels: ImageData, told }. */
async function picture(path, query, [rows, columns], signal) {
  const bytes = await (await ask(path, query, signal)).arrayBuffer();
  const end = 4 * rows * columns;
  return { pixels: new ImageData(new Uint8ClampedArray(bytes, 0, end), columns, rows), told: new DataView(bytes).getFloat64(end, true) };
}

/** A part of a code's picture: { pixels: ImageData, ms }. */
export async function draw(code, region, size, signal) {
  const query = { name: code.name, level: code.level, region: region.join(","), size: size.join("x") };
  const { pixels, told } = await picture("/draw", query, size, signal);
  return { pixels, ms: told };
}

/** "original" or "error" of a code, at its own samples: { bitmap, told }; of an error the PSNR is told. */
export async function whole(kind, code, signal) {
  const { pixels, told } = await picture(`/${kind}`, { name: code.name, level: code.level }, code.shape, signal);
  return { bitmap: await createImageBitmap(pixels), told };
}

export const NO_PICTURE = 501; // the status of a code that is sound, and of a kind that is not shown

/** "fitted", "original" or "error" of a code that is shown whole: an address of its PNG, to be revoked. */
export const pictureOf = async (side, code, signal) => URL.createObjectURL(await (await ask("/picture", { name: code.name, level: code.level, of: side }, signal)).blob());

/** What is played of it: { address, mime }, to be revoked; null where its kind plays nothing. */
export async function mediaOf(side, code, signal) {
  const answer = await ask("/media", { name: code.name, level: code.level, of: side }, signal);
  if (answer.status === 204) return null;
  const blob = await answer.blob();
  return { address: URL.createObjectURL(blob), mime: blob.type };
}

/** What a code is worth beside its original: [{ label, value }]. */
export const measuresOf = async (code, signal) => (await (await ask("/api/measured", { name: code.name, level: code.level }, signal)).json()).measures;
