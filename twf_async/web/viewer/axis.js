// Where hours and clock times lie along the strip. Pure: moments in, moments out.

import { utcHour, validTime } from "./times.js";

const HOUR_MS = 3600e3;
const STEPS = [1, 3, 6, 12];
const STEP_PX = 44; // clock times that stand closer are not read but counted
const HALF_PX = 15; // half of "18Z", and some air

/**
 * Where the ticks of hours begin and end, in ms: each reaches half way to its neighbours, so that
 * the moment its map is valid at is inside, and at its middle where steps are even. One more than hours.
 */
export function edges(cycle, hours) {
  const at = hours.map((hour) => validTime(cycle, hour));
  if (at.length < 2) return at.length ? [at[0] - HOUR_MS / 2, at[0] + HOUR_MS / 2] : [];
  const between = at.slice(1).map((ms, index) => (at[index] + ms) / 2);
  return [(3 * at[0] - at[1]) / 2, ...between, (3 * at.at(-1) - at.at(-2)) / 2];
}

/** What a day is called where it is so many pixels wide, and how many the name takes. */
export function dayName(day, room) {
  if (room >= 52) return { text: day.long, px: 50 };
  if (room >= 30) return { text: day.short, px: 28 };
  if (room >= 13) return { text: day.tiny, px: 12 };
  return { text: "", px: 0 };
}

/** UTC clock times that have room on the row of the days, `width` pixels long: {ms, text}. */
export function clockTimes({ start, end }, width, days) {
  const scale = width / (end - start);
  const hours = STEPS.find((step) => step * HOUR_MS * scale >= STEP_PX);
  if (!hours) return [];
  const step = hours * HOUR_MS;
  const times = [];
  for (let ms = Math.ceil(start / step) * step; ms < end; ms += step) {
    const day = days.find(({ from, to }) => from <= ms && ms < to);
    const name = dayName(day, (day.to - day.from) * scale);
    const from = (day.from - start) * scale + name.px;
    const to = (day.to - start) * scale;
    const at = (ms - start) * scale;
    if (at - HALF_PX >= from && at + HALF_PX <= to) times.push({ ms, text: utcHour(ms) });
  }
  return times;
}
