// Which run and which hour to show. Pure: no clock, no page, no network.

import { cycleTime, hourName, validTime } from "./times.js";

/** One product of a run in one region, hour by hour; `paused`: why nothing new is made of any run. */
export function trackOf(manifest, region, product, paused = "") {
  const cells = manifest?.frames?.[region]?.[product] ?? {};
  const hours = (manifest?.hours ?? []).filter((hour) => hourName(hour) in cells);
  const record = (hour) => cells[hourName(hour)];
  const published = hours.filter((hour) => record(hour).state === "published");
  const applicable = hours.filter((hour) => record(hour).state !== "not_applicable");
  const failed = hours.filter((hour) => record(hour).state === "failed");
  const { cycle = "", state = "" } = manifest ?? {};
  const held = paused || (manifest?.held ? `on hold: ${manifest.held}` : "");
  return { cycle, state, held, hours, published, applicable, failed, record };
}

/** Of `hours` of the run, the one whose valid time is nearest to `ms`; the earlier of two. */
export function nearest(cycle, hours, ms) {
  let best = null;
  for (const hour of hours) {
    const distance = Math.abs(validTime(cycle, hour) - ms);
    if (best === null || distance < best.distance) best = { hour, distance };
  }
  return best?.hour ?? null;
}

/** The hour of the run that is valid at exactly `ms`, if the run has it. */
export function hourAt(track, ms) {
  const hour = (ms - cycleTime(track.cycle)) / 3600e3;
  return track.hours.includes(hour) ? hour : null;
}

/**
 * The hour to show after product, run, region or model changed.
 * The wanted valid time if its map is online, else what is shown now, else what is nearest.
 */
export function hourFor(track, wantedMs, shownMs, nowMs) {
  for (const ms of [wantedMs, shownMs]) {
    if (ms === null) continue;
    const hour = hourAt(track, ms);
    if (hour !== null && track.published.includes(hour)) return hour;
  }
  const pool = track.published.length ? track.published : track.applicable;
  return nearest(track.cycle, pool, wantedMs ?? nowMs);
}

/** Whether nothing more will come of this hour: its map is there, or will not be. */
export function isSettled(track, hour) {
  return ["published", "failed", "not_applicable"].includes(track.record(hour)?.state);
}

/** Whether a reader who looks at `wantedMs` loses nothing by moving on to this newer run. */
export function readyToFollow(track, wantedMs) {
  if (!track.published.length) return false;
  if (wantedMs === null) return true;
  const hour = hourAt(track, wantedMs);
  if (hour !== null && isSettled(track, hour)) return true;
  const [first, last] = [track.hours[0], track.hours.at(-1)];
  if (wantedMs < validTime(track.cycle, first)) return true;
  return track.state !== "running" && wantedMs <= validTime(track.cycle, last);
}

/** Published hours in the order in which they are worth loading: here, around, then onwards. */
export function loadingOrder(published, hour, reach = Infinity) {
  const here = published.indexOf(hour);
  const start = here < 0 ? 0 : here;
  const near = [start, start + 1, start - 1, start + 2, start - 2, start + 3];
  const rest = published.map((_, index) => (start + index) % published.length);
  const order = [...new Set([...near, ...rest])].filter((index) => index in published);
  return order.slice(0, reach).map((index) => published[index]);
}
