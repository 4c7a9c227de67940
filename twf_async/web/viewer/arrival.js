// How far the shown run is, and whether a newer one has begun to come in.

import { cycleTime, utcText } from "./times.js";
import { hoursText } from "./words.js";

export class Arrival {
  #root = document.getElementById("arrival");
  #text = document.getElementById("arrival-text");
  #meter = document.getElementById("arrival-meter");
  #newer = document.getElementById("newer-run");

  constructor(onNewer) {
    this.#newer.addEventListener("click", onNewer);
  }

  draw({ track, newer, cycle, product }) {
    const done = track.published.length;
    const all = track.applicable.length;
    this.#root.hidden = !cycle || (all === 0 && !newer);
    if (this.#root.hidden) return;
    const { tone, text } = standing(track, done, all);
    this.#root.dataset.tone = tone;
    this.#text.textContent = text;
    this.#root.title = product ? `${product.title}: ${done} of ${hoursText(all)} online` : "";
    this.#meter.hidden = tone !== "running";
    this.#meter.setAttribute("aria-valuemax", all);
    this.#meter.setAttribute("aria-valuenow", done);
    this.#meter.firstElementChild.style.width = `${all ? (100 * done) / all : 0}%`;
    this.#newer.hidden = !newer;
    if (!newer) return;
    const full = utcText(cycleTime(newer.cycle));
    this.#newer.textContent = `${full.split(" ", 1)} is coming in: show it`;
    this.#newer.title = `Show the run of ${full}`;
  }
}

/** Tone and text of how far a run is, for one product and region. */
export function standing(track, done, all) {
  if (track.state === "running" && done < all) {
    const held = track.held ? ` · on hold: ${track.held}` : "";
    return { tone: "running", text: `Coming in: ${done} of ${hoursText(all)}${held}` };
  }
  if (done === all) return { tone: "complete", text: `All ${hoursText(all)} online` };
  return { tone: "partial", text: `${all - done} of ${hoursText(all)} missing` };
}
