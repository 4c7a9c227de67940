// The state of the page in its address, so that every view can be linked to.

const WORD = /^[a-z0-9_]{1,32}$/;
const RUN = /^(\d{10}|latest)$/;

/** What an address asks for; what is not understood is left out. */
export function read(search) {
  const query = new URLSearchParams(search);
  const asked = {};
  for (const name of ["model", "region", "product"]) {
    const value = query.get(name)?.toLowerCase() ?? "";
    if (WORD.test(value)) asked[name] = value;
  }
  if (RUN.test(query.get("run") ?? "")) asked.run = query.get("run");
  const hour = /^f?(\d{1,3})$/.exec(query.get("hour") ?? "");
  if (hour) asked.hour = Number(hour[1]);
  return asked;
}

/** "?model=gfs&run=latest&region=pnw&product=t2m&hour=6" */
export function write({ model, run, region, product, hour }) {
  const query = new URLSearchParams({ model, run, region, product });
  if (hour !== null && hour !== undefined) query.set("hour", hour);
  return `?${query}`;
}
