// The animation: shows one hour after the other, never one whose picture is not there yet.

const REST = 4; // the last map stays for so many steps before the loop begins anew
const AHEAD = 3;

export class Player {
  playing = false;
  loop = true;
  rate = 6; // maps a second
  #parts;
  #due = 0;

  /** parts: hours() published, current(), ready(hour), prepare(hour), show(hour), changed(), wrapped() */
  constructor(parts) {
    this.#parts = parts;
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    const hours = this.#parts.hours();
    if (this.playing || hours.length < 2) return;
    this.playing = true;
    this.#due = performance.now();
    if (this.#parts.current() === hours.at(-1)) this.#parts.show(hours[0]);
    this.#parts.changed();
    requestAnimationFrame(this.#tick);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.#parts.changed();
  }

  #tick = (now) => {
    if (!this.playing) return;
    requestAnimationFrame(this.#tick);
    if (now < this.#due) return;
    const hours = this.#parts.hours();
    const next = this.#next(hours);
    if (next === null) {
      this.pause();
      return;
    }
    if (!this.#parts.ready(next)) return; // wait for it; the strip shows how far loading is
    const step = 1000 / this.rate;
    const rest = next === hours.at(-1) ? REST * step : step;
    this.#due = Math.max(this.#due, now - step) + rest;
    if (next === hours[0]) this.#parts.wrapped();
    this.#parts.show(next);
    const index = hours.indexOf(next);
    for (let ahead = 1; ahead <= AHEAD; ahead += 1) {
      this.#parts.prepare(hours[(index + ahead) % hours.length]);
    }
  };

  /** The hour after the one shown; null at the end, unless it loops. */
  #next(hours) {
    const later = hours.find((hour) => hour > this.#parts.current());
    if (later !== undefined) return later;
    return this.loop && hours.length > 1 ? hours[0] : null;
  }
}
