// The strip of hours: a tick for each, as wide as the time it stands for, in the colour of its state.

import { localClockText, localDayText, localDays, validTime } from "./times.js";
import { STATES, tickText } from "./words.js";

const HOUR_MS = 3600e3;

export class Strip {
  #root = document.getElementById("strip");
  #ticks = document.getElementById("ticks");
  #days = document.getElementById("days");
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
    new ResizeObserver(() => this.#labelDays()).observe(this.#root);
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
    const track = this.#track;
    const index = track.hours.indexOf(hour);
    const at = this.#middle(index);
    this.#head.style.left = `${at * 100}%`;
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
      return;
    }
    const lastStep = hours.length > 1 ? hours.at(-1) - hours.at(-2) : 1;
    const end = hours.at(-1) + lastStep;
    this.#span = { start: validTime(cycle, hours[0]), end: validTime(cycle, end) };
    hours.forEach((hour, index) => {
      const left = this.#share(validTime(cycle, hour));
      const right = this.#share(validTime(cycle, hours[index + 1] ?? end));
      for (const parent of [this.#ticks, this.#loaded]) {
        const tick = document.createElement("i");
        tick.style.left = `${left * 100}%`;
        tick.style.width = `${(right - left) * 100}%`;
        parent.append(tick);
      }
    });
    this.#root.setAttribute("aria-valuemin", hours[0]);
    this.#root.setAttribute("aria-valuemax", hours.at(-1));
    this.#labelDays();
    this.clock(Date.now());
  }

  #labelDays() {
    if (!this.#span) return;
    const { start, end } = this.#span;
    const width = this.#root.clientWidth;
    this.#ticks.classList.toggle("dense", width / this.#track.hours.length < 5);
    this.#days.replaceChildren(
      ...localDays(start, end).map((day) => {
        const room = ((day.to - day.from) / (end - start)) * width;
        const label = document.createElement("span");
        label.style.flexGrow = day.to - day.from;
        label.classList.toggle("weekend", day.weekend);
        if (room >= 52) label.textContent = day.long;
        else if (room >= 30) label.textContent = day.short;
        else if (room >= 13) label.textContent = day.tiny;
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
    return hours.findLast((hour) => validTime(cycle, hour) <= ms) ?? hours[0];
  }

  #hover(hour) {
    this.#bubble.hidden = hour === null;
    if (hour === null) return;
    const at = this.#middle(this.#track.hours.indexOf(hour));
    this.#bubble.textContent = tickText(this.#track, hour);
    this.#bubble.dataset.state = this.#track.record(hour).state;
    const half = this.#bubble.offsetWidth / 2;
    const width = this.#root.clientWidth;
    const left = Math.min(Math.max(at * width, half), Math.max(width - half, half));
    this.#bubble.style.left = `${left}px`;
  }

  #middle(index) {
    const { hours, cycle } = this.#track;
    const from = validTime(cycle, hours[index]);
    const to = index + 1 < hours.length ? validTime(cycle, hours[index + 1]) : this.#span.end;
    return this.#share((from + to) / 2);
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
