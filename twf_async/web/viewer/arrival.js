// How far the shown run is, and whether a newer one has begun to come in.

import { cycleTime, utcText } from "./times.js";
import { hoursText, silence } from "./words.js";

export class Arrival {
  #root = document.getElementById("arrival");
  #text = document.getElementById("arrival-text");
  #meter = document.getElementById("arrival-meter");
  #newer = document.getElementById("newer-run");
  #fitted = "";

  constructor(onNewer) {
    this.#newer.addEventListener("click", onNewer);
  }

  /** silent: the server does not answer, so that nothing that is said of it may still hold */
  draw({ track, newer, cycle, product, choice }, silent) {
    const done = track.published.length;
    const all = track.applicable.length;
    this.#root.hidden = !silent && (!cycle || (all === 0 && !newer));
    if (this.#root.hidden) return;
    const { tone, text } = silent ? unheard() : standing(track, done, all);
    this.#root.dataset.tone = tone;
    this.#text.textContent = text;
    this.#root.title = product && !silent ? `${product.title}: ${done} of ${hoursText(all)} online` : "";
    this.#meter.hidden = track.state !== "running" || done === all || silent;
    this.#meter.setAttribute("aria-valuemax", all);
    this.#meter.setAttribute("aria-valuenow", done);
    this.#meter.firstElementChild.style.width = `${all ? (100 * done) / all : 0}%`;
    this.#newer.hidden = !newer || silent;
    if (this.#newer.hidden) return;
    const full = utcText(cycleTime(newer.cycle));
    const [hour] = full.split(" ", 1);
    const held = track.held || newer.held;
    const is = newer.state !== "running" ? "online" : held ? "on hold" : "coming in";
    const follows = choice.run === "latest" && newer.state === "running";
    this.#newer.textContent = `${hour} is ${is}: show it${follows ? " now" : ""}`;
    this.#newer.title = follows
      ? `The run of ${full} is shown by itself once it has this map`
      : `Show the run of ${full}`;
  }

  /** Give the words a row of their own where the bar has no room for them. */
  fit() {
    const bar = this.#root.parentElement;
    const key = [innerWidth, bar.textContent].join();
    if (key === this.#fitted) return; // looking costs a layout, and maps may change many times a second
    this.#fitted = key;
    bar.classList.remove("apart");
    bar.classList.toggle("apart", this.#text.scrollWidth > this.#text.clientWidth);
  }
}

const unheard = () => ({ tone: "silent", text: silence().title });

/** Tone and text of how far a run is, for one product and region. */
export function standing(track, done, all) {
  const held = track.held ? ` · ${track.held}` : "";
  if (track.state === "running" && done < all) {
    if (held) return { tone: "held", text: `${done} of ${hoursText(all)} online${held}` };
    return { tone: "running", text: `Coming in: ${done} of ${hoursText(all)}` };
  }
  if (all === 0) return { tone: "complete", text: "" }; // of a run that is gone
  const tone = held ? "held" : "complete";
  if (done === all) return { tone, text: `All ${hoursText(all)} online${held}` };
  return { tone: "partial", text: `${all - done} of ${hoursText(all)} missing${held}` };
}
