// What is shown, in the address: #name=...&level=...&at=y,x&scale=... can be kept and sent to oneself.

export const hashOf = (route) => `#${new URLSearchParams(Object.entries(route).filter(([, value]) => value !== undefined && value !== null))}`;

export function readHash() {
  const given = new URLSearchParams(location.hash.slice(1));
  const [y, x] = (given.get("at") ?? "").split(",").map(Number);
  const scale = Number(given.get("scale"));
  const looks = Number.isFinite(y) && Number.isFinite(x) && given.has("at") && scale > 0;
  return { name: given.get("name"), level: given.get("level"), look: looks ? { y, x, scale } : null };
}
