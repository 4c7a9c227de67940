// Times. A moment is milliseconds since 1970 UTC; it is always cycle + hour, never a wall clock.

const HOUR_MS = 3600e3;
const LOCALE = navigator.languages?.find((tag) => tag.startsWith("en")) ?? "en-US";
const format = (options) => new Intl.DateTimeFormat(LOCALE, options);
const localDay = format({ weekday: "short", day: "numeric", month: "short" });
const localClock = format({ hour: "numeric", minute: "2-digit", timeZoneName: "short" });
const plainClock = format({ hour: "numeric", minute: "2-digit" });
const utcDay = format({ weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const utcDate = format({ day: "numeric", month: "short", timeZone: "UTC" });
const weekday = format({ weekday: "short" });
const initial = format({ weekday: "narrow" });
const dayNumber = format({ day: "numeric" });

/** "2026012912" -> the moment of the cycle; NaN when it is not one. */
export function cycleTime(cycle) {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(cycle ?? "");
  if (!match) return NaN;
  const [year, month, day, hour] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour);
}

/** The moment that hour `hour` of the run is valid at. */
export const validTime = (cycle, hour) => cycleTime(cycle) + hour * HOUR_MS;

/** 6 -> "f006", as in URLs and the manifest. */
export const hourName = (hour) => `f${String(hour).padStart(3, "0")}`;

/** "Thu, Jan 29, 10:00 AM PST", on the reader's own clock. */
export const localText = (ms) => `${localDay.format(ms)}, ${localClock.format(ms)}`;
export const localDayText = (ms) => localDay.format(ms);
export const localClockText = (ms) => localClock.format(ms);
export const shortClockText = (ms) => plainClock.format(ms);

/** "18Z". */
export const utcHour = (ms) => `${String(new Date(ms).getUTCHours()).padStart(2, "0")}Z`;

/** "18Z Thu, Jan 29". */
export const utcText = (ms) => `${utcHour(ms)} ${utcDay.format(ms)}`;

/** "18Z Jan 29". */
export const shortUtcText = (ms) => `${utcHour(ms)} ${utcDate.format(ms)}`;

export const zoneName = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Local days that overlap [start, end): {from, to, long, short, tiny, number}; DST-proof. */
export function localDays(start, end) {
  const days = [];
  let from = start;
  while (from < end) {
    const at = new Date(from);
    const midnight = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1).getTime();
    const to = Math.min(midnight, end);
    days.push({
      from,
      to,
      long: `${weekday.format(from)} ${dayNumber.format(from)}`,
      short: weekday.format(from),
      tiny: initial.format(from),
      weekend: at.getDay() % 6 === 0,
    });
    from = to;
  }
  return days;
}
