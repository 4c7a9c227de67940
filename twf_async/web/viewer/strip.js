// The strip of hours: a tick for each, around the time it is valid at, in the colour of its state.

import { clockTimes, dayName, edges } from "./axis.js";
import { nearest } from "./choose.js";
import { localClockText, localDayText, localDays, validTime } from "./times.js";
import { STATES, tickText } from "./words.js";

const HOUR_MS = 3600e3;

export class Strip {
  #root = document.getElementById("strip");
  #ticks = document.getElementById("ticks");
  #days = document.getElementById("days");
  #clocks = document.getElementById("clocks");
  #loaded = document.getElementById("loaded");
  #now = document.getElementById("now");
  #head = document.getElementById("head");
  #bubble = document.getElementById("bubble");
  #track = null;
  #span = null; // {start, end} in ms
  #shape = "";
  #onSeek;

  /** `onSeek(hour)` is called when the reader points at an hour. */
  constructor(onSeek) {
    this.#onSeek = onSeek;
    this.#root.addEventListener("pointerdown", (event) => this.#press(event));
    this.#root.addEventListener("pointermove", (event) => this.#move(event));
    this.#root.addEventListener("pointerleave", () => this.#hover(null));
    new ResizeObserver(() => this.#label()).observe(this.#root);
  }

  /** Show the hours of a track; cheap when only states have changed. */
  draw(track) {
    this.#track = track;
    const shape = `${track.cycle}:${track.hours}`;
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(track);
    }
    track.hours.forEach((hour, index) => {
      const tick = this.#ticks.children[index];
      const name = `tick ${track.record(hour).state}`;
      if (tick.className !== name) tick.className = name;
    });
    this.#root.classList.toggle("bare", track.hours.length === 0);
  }

  /** Put the marker at an hour. */
  point(hour) {
    this.#head.hidden = hour === null || !this.#span;
    if (this.#head.hidden) return;
    this.#head.style.left = `${this.#at(hour) * 100}%`;
    this.#root.setAttribute("aria-valuenow", hour);
    this.#root.setAttribute("aria-valuetext", this.#spoken(hour));
  }

  /** Mark the hours whose pictures are loaded. */
  buffer(isLoaded) {
    if (!this.#span) return;
    this.#track.hours.forEach((hour, index) => {
      this.#loaded.children[index].classList.toggle("on", isLoaded(hour));
    });
  }

  /** Mark the present moment. */
  clock(ms) {
    const inside = this.#span && ms > this.#span.start && ms < this.#span.end;
    this.#now.hidden = !inside;
    if (inside) this.#now.style.left = `${this.#share(ms) * 100}%`;
  }

  #build(track) {
    const { hours, cycle } = track;
    this.#ticks.replaceChildren();
    this.#loaded.replaceChildren();
    this.#span = null;
    if (!hours.length) {
      this.#days.replaceChildren();
      this.#clocks.replaceChildren();
      return;
    }
    const bounds = edges(cycle, hours);
    this.#span = { start: bounds[0], end: bounds.at(-1) };
    hours.forEach((_, index) => {
      const [left, right] = [this.#share(bounds[index]), this.#share(bounds[index + 1])];
      for (const parent of [this.#ticks, this.#loaded]) {
        const tick = document.createElement("i");
        tick.style.left = `${left * 100}%`;
        tick.style.width = `${(right - left) * 100}%`;
        parent.append(tick);
      }
    });
    this.#root.setAttribute("aria-valuemin", hours[0]);
    this.#root.setAttribute("aria-valuemax", hours.at(-1));
    this.#label();
    this.clock(Date.now());
  }

  /** Days of the reader's clock, and UTC hours between where there is room for them. */
  #label() {
    if (!this.#span) return;
    const { start, end } = this.#span;
    const width = this.#root.clientWidth;
    this.#ticks.classList.toggle("dense", width / this.#track.hours.length < 5);
    const days = localDays(start, end);
    this.#days.replaceChildren(
      ...days.map((day) => {
        const label = document.createElement("span");
        label.style.flexGrow = day.to - day.from;
        label.classList.toggle("weekend", day.weekend);
        label.textContent = dayName(day, ((day.to - day.from) / (end - start)) * width).text;
        return label;
      }),
    );
    this.#clocks.replaceChildren(
      ...clockTimes(this.#span, width, days).map(({ ms, text }) => {
        const label = document.createElement("span");
        label.style.left = `${this.#share(ms) * 100}%`;
        label.textContent = text;
        return label;
      }),
    );
  }

  #press(event) {
    if (event.button !== 0 || !this.#span) return;
    this.#root.setPointerCapture(event.pointerId);
    this.#root.classList.add("held");
    const release = () => this.#root.classList.remove("held");
    this.#root.addEventListener("lostpointercapture", release, { once: true });
    this.#seek(event);
  }

  #move(event) {
    if (!this.#span) return;
    if (this.#root.hasPointerCapture(event.pointerId)) this.#seek(event);
    else if (event.pointerType === "mouse") this.#hover(this.#hourAt(event));
  }

  #seek(event) {
    const hour = this.#hourAt(event);
    this.#hover(event.pointerType === "mouse" ? hour : null); // a finger would hide it
    this.#onSeek(hour);
  }

  #hourAt(event) {
    const box = this.#ticks.getBoundingClientRect();
    const part = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const { start, end } = this.#span;
    const ms = start + part * (end - start);
    const { hours, cycle } = this.#track;
    return nearest(cycle, hours, ms);
  }

  #hover(hour) {
    this.#bubble.hidden = hour === null;
    if (hour === null) return;
    const at = this.#at(hour);
    this.#bubble.textContent = tickText(this.#track, hour);
    this.#bubble.dataset.state = this.#track.record(hour).state;
    const half = this.#bubble.offsetWidth / 2;
    const width = this.#root.clientWidth;
    const left = Math.min(Math.max(at * width, half), Math.max(width - half, half));
    this.#bubble.style.left = `${left}px`;
  }

  /** Where the moment lies that an hour is valid at, 0..1. */
  #at(hour) {
    return this.#share(validTime(this.#track.cycle, hour));
  }

  #share(ms) {
    return (ms - this.#span.start) / (this.#span.end - this.#span.start);
  }

  #spoken(hour) {
    const track = this.#track;
    const ms = validTime(track.cycle, hour);
    const lead = Math.round((ms - validTime(track.cycle, 0)) / HOUR_MS);
    const state = STATES[track.record(hour).state] ?? "";
    return `${localDayText(ms)}, ${localClockText(ms)}, plus ${lead} hours, ${state}`;
  }
}
