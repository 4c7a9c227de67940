// What is said to readers about runs, hours and maps.

import {
  cycleTime, hourName, localText, shortClockText, shortUtcText, utcHour, utcText, validTime,
} from "./times.js";

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
  return [record?.old_style && OLD_STYLE, manifest?.notice].filter(Boolean).join(" · ");
}

/** The line beside a tick. */
export function tickText(track, hour) {
  const record = track.record(hour);
  const when = `${localText(validTime(track.cycle, hour))} · ${hourName(hour)}`;
  if (record.state === "published") return record.old_style ? `${when} · ${OLD_STYLE}` : when;
  if (record.state === "failed" || record.state === "not_applicable") {
    return `${when} · ${STATES[record.state]}: ${because(record)}`;
  }
  if (track.held && record.state === "expected") return `${when} · ${track.held}`;
  const eta = record.eta ? `, about ${shortClockText(Date.parse(record.eta))}` : "";
  return `${when} · ${STATES[record.state] ?? record.state}${eta}`;
}

const FAILURES = { "not published": "did not come out", "fetch failed": "could not be fetched" };
const failure = ({ reason }) => FAILURES[reason] ?? "could not be drawn";

/** Title, text and tone of the note that stands where a map is not there. */
export function noteFor(track, hour) {
  const record = track.record(hour);
  const name = hourName(hour);
  const then = track.held
    ? { tone: "calm", text: `${capital(track.held)}. It appears here by itself when that is over.` }
    : { tone: "wait", text: "It appears here by itself." };
  switch (record?.state) {
    case "failed":
      return { tone: "bad", title: `${name} ${failure(record)}`, text: `${capital(because(record))}.` };
    case "not_applicable":
      return { tone: "calm", title: `No map at ${name}`, text: `${capital(because(record))}.` };
    case "rendering":
      return { ...then, title: `${name} is being drawn` };
    case "fetching":
      return { ...then, title: `${name} is being fetched` };
    default:
  }
  if (track.state !== "running") {
    return { tone: "calm", title: `${name} did not come`, text: "The run ended without this hour." };
  }
  const due = track.held ? undefined : record?.eta;
  const eta = due ? `Expected about ${shortClockText(Date.parse(due))}. ` : "";
  return { ...then, title: `${name} is not out yet`, text: eta + then.text };
}

/** The note for where the session has no map to show, and the text of a button that helps. */
export function absence({ track, choice, cycle, hasManifest }) {
  if (cycle && !hasManifest) return { note: GONE, action: "Show the latest run" };
  if (hasManifest && track.state !== "running" && !track.hours.length) return { note: NOT_IN_RUN };
  const begun = track.published.length > 0 || track.failed.length > 0;
  const isAwaited = track.state === "running" && !begun;
  if (choice.hour === null || isAwaited) return { note: firstMaps(track) };
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

function firstMaps({ held }) {
  if (!held) return FIRST_MAPS;
  const text = `${capital(held)}. They appear here by themselves when that is over.`;
  return { tone: "calm", title: "No maps yet", text };
}

/** The note for when nothing is heard of the server. */
export const silence = () => ({
  tone: "wait",
  title: navigator.onLine === false ? "You are offline" : "The server does not answer",
  text: "Trying again by itself.",
});

/** The note for what the server has said no to. */
export const refused = ({ message }) => ({
  tone: "bad",
  title: "This cannot be shown",
  text: `${capital(message.replace(/\.$/, ""))}.`,
});

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

/** A run in the menu: "12Z Jan 29 · 43 %". */
export function runText(run, cycleMs) {
  const part = share(run);
  const percent = Number.isNaN(part) ? 0 : Math.floor(part * 100);
  if (run.state === "complete") return `${shortUtcText(cycleMs)} · complete`;
  return `${shortUtcText(cycleMs)} · ${percent} %${run.state === "partial" ? ", ended" : ""}`;
}

/**
 * The first entry of the menu of runs, which follows the newest: what it shows now, and where that is
 * not the newest run (`newer`, or null), why.
 */
export function latestText(cycleMs, newer) {
  if (Number.isNaN(cycleMs)) return "Latest";
  if (!newer) return `Latest · ${shortUtcText(cycleMs)}`;
  if (newer.state !== "running") return `Latest with this hour · ${utcHour(cycleMs)}`;
  return `Latest · ${utcHour(cycleMs)}, then ${utcHour(cycleTime(newer.cycle))}`;
}

export const hoursText = (count) => `${count} ${count === 1 ? "hour" : "hours"}`;
