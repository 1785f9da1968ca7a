// Questions to the server. A refusal becomes an Error whose message can be shown.

function address(path, question) {
  const given = Object.entries(question).filter(([, value]) => value !== undefined && value !== null);
  return `${path}?${new URLSearchParams(given)}`;
}

async function ask(path, question, signal) {
  let answer;
  try {
    answer = await fetch(address(path, question), { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The viewer does not answer; is it still running in its terminal?");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error || `The viewer answered ${answer.status}.`);
}

export const aborted = (error) => error.name === "AbortError";

export const askFor = async (path, question = {}, signal = undefined) => (await ask(path, question, signal)).json();

export const thumbnailAddress = (code, edge) =>
  address("/thumbnail", { name: code.name, level: code.level, edge, version: code.version });

/** A part of a code's picture: { pixels: ImageData, ms }. */
export async function draw(code, region, size, signal) {
  const question = { name: code.name, level: code.level, region: region.join(","), size: size.join("x") };
  const answer = await ask("/draw", question, signal);
  const bytes = new Uint8ClampedArray(await answer.arrayBuffer());
  return { pixels: new ImageData(bytes, size[1], size[0]), ms: Number(answer.headers.get("x-milliseconds")) };
}

/** "original" or "error" of a code, at its own samples: { bitmap, psnr }. */
export async function whole(kind, code, signal) {
  const answer = await ask(`/${kind}`, { name: code.name, level: code.level }, signal);
  const psnr = answer.headers.get("x-psnr-db");
  return { bitmap: await createImageBitmap(await answer.blob()), psnr: psnr === null ? null : Number(psnr) };
}
