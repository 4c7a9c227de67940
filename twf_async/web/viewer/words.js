// What is said to readers about runs, hours and maps.

import { localText, shortClockText, utcText, validTime, hourName } from "./times.js";

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const because = ({ reason = "", detail = "" }) =>
  [reason, detail].filter(Boolean).join(": ").replace(/\.$/, "") || "no reason was given";

/** One or two words for the state of a frame. */
export const STATES = {
  published: "online",
  rendering: "being drawn",
  fetching: "being fetched",
  expected: "expected",
  failed: "failed",
  not_applicable: "not applicable",
};

const OLD_STYLE = "in an earlier style";

/** What is to be known beside the map shown; "" for nothing. */
export function badgeText(manifest, record) {
  return [manifest?.notice, record?.old_style && OLD_STYLE].filter(Boolean).join(" · ");
}

/** The line beside a tick. */
export function tickText(track, hour) {
  const record = track.record(hour);
  const when = `${localText(validTime(track.cycle, hour))} · ${hourName(hour)}`;
  if (record.state === "published") return record.old_style ? `${when} · ${OLD_STYLE}` : when;
  if (record.state === "failed" || record.state === "not_applicable") {
    return `${when} · ${STATES[record.state]}: ${because(record)}`;
  }
  const eta = record.eta ? `, about ${shortClockText(Date.parse(record.eta))}` : "";
  return `${when} · ${STATES[record.state] ?? record.state}${eta}`;
}

const FAILURES = { "not published": "did not come out", "fetch failed": "could not be fetched" };
const failure = ({ reason }) => FAILURES[reason] ?? "could not be drawn";

/** Title, text and tone of the note that stands where a map is not there. */
export function noteFor(track, hour) {
  const record = track.record(hour);
  const name = hourName(hour);
  switch (record?.state) {
    case "failed":
      return { tone: "bad", title: `${name} ${failure(record)}`, text: `${capital(because(record))}.` };
    case "not_applicable":
      return { tone: "calm", title: `No map at ${name}`, text: `${capital(because(record))}.` };
    case "rendering":
      return { tone: "wait", title: `${name} is being drawn`, text: "It appears here by itself." };
    case "fetching":
      return { tone: "wait", title: `${name} is being fetched`, text: "It appears here by itself." };
    default:
  }
  if (track.state !== "running") {
    return { tone: "calm", title: `${name} did not come`, text: "The run ended without this hour." };
  }
  const eta = record?.eta ? `Expected about ${shortClockText(Date.parse(record.eta))}. ` : "";
  return { tone: "wait", title: `${name} is not out yet`, text: `${eta}It appears here by itself.` };
}

/** The note for where the session has no map to show, and the text of a button that helps. */
export function absence({ track, choice, cycle, hasManifest }) {
  if (cycle && !hasManifest) return { note: GONE, action: "Show the latest run" };
  if (hasManifest && track.state !== "running" && !track.hours.length) return { note: NOT_IN_RUN };
  const begun = track.published.length > 0 || track.failed.length > 0;
  if (choice.hour === null || (track.state === "running" && !begun)) return { note: FIRST_MAPS };
  return { note: noteFor(track, choice.hour) };
}

/** A map in one line, as its text for those who do not see it and for links. */
export function mapTitle({ choice, model, product, region, shownMs, initMs }) {
  const place = region?.title ?? choice.region;
  const times = `valid ${utcText(shownMs)}, ${hourName(choice.hour)} of the ${utcText(initMs)} run`;
  return `${model.title} ${product.title}, ${place}, ${times}`;
}

const FIRST_MAPS = {
  tone: "wait",
  title: "The first maps are on their way…",
  text: "They appear here by themselves as soon as the model's first hour is out.",
};

export const SILENT = {
  tone: "wait",
  title: "The server does not answer",
  text: "Trying again by itself.",
};

export const UNLOADABLE = {
  tone: "bad",
  title: "The map could not be loaded",
  text: "Trying again by itself.",
};

const GONE = {
  tone: "calm",
  title: "This run is no longer there",
  text: "Runs are kept for a limited time.",
};

const NOT_IN_RUN = {
  tone: "calm",
  title: "This run does not have this map",
  text: "Choose another product or run.",
};

/** The share of a run's maps that are online, 0..1, from its summary; NaN when it has none. */
export function share({ counts = {} }) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (counts.published ?? 0) / (total - (counts.not_applicable ?? 0));
}

/** A run in the menu: "12Z Thu, Jan 29 · 43 %". */
export function runText(run, cycleMs) {
  const part = share(run);
  const percent = Number.isNaN(part) ? 0 : Math.floor(part * 100);
  if (run.state === "complete") return `${utcText(cycleMs)} · complete`;
  return `${utcText(cycleMs)} · ${percent} %${run.state === "partial" ? ", ended" : ""}`;
}

export const hoursText = (count) => `${count} ${count === 1 ? "hour" : "hours"}`;
