// What the server is asked. Every answer is revalidated by its ETag, so asking often is cheap.

export class ServerSaid extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** The JSON document at `path`; ServerSaid with its sentence when it is refused. */
async function get(path) {
  const answer = await fetch(path, { cache: "no-cache", headers: { Accept: "application/json" } });
  if (answer.ok) return answer.json();
  const fault = await answer.json().catch(() => ({}));
  throw new ServerSaid(answer.status, fault.error ?? `the server answered ${answer.status}`);
}

export const models = () => get("/api/v1/models");

export const status = () => get("/api/v1/status");

export const runs = async (model) =>
  (await get(`/api/v1/runs?model=${encodeURIComponent(model)}`)).runs;

/** The manifest, with the frames of one region, and of one product if it is given. */
export function manifest(model, cycle, region, product) {
  const query = new URLSearchParams({ region });
  if (product) query.set("product", product);
  return get(`/api/v1/runs/${model}/${cycle}?${query}`);
}

/** Where a picture lies. With its hash it never changes; without, it is what is there now. */
export function pictureUrl({ model, cycle, region, product, hour }, hash) {
  const name = `f${String(hour).padStart(3, "0")}.png`;
  return `/maps/${model}/${cycle}/${region}/${product}/${name}${hash ? `?v=${hash}` : ""}`;
}
