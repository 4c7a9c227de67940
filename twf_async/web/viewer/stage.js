// The map itself, or a few words in its place.

const SLOW_MS = 180;

export class Stage {
  #picture = document.getElementById("picture");
  #busy = document.getElementById("busy");
  #note = document.getElementById("note");
  #title = document.getElementById("note-title");
  #text = document.getElementById("note-text");
  #action = document.getElementById("note-action");
  #slow = 0;

  constructor() {
    this.#action.addEventListener("click", () => this.#action.act?.());
  }

  /** Give the map the size of this region's frames, so that nothing jumps while one loads. */
  shape({ width_px: width, height_px: height }) {
    // A pixel of the map may cover one CSS pixel, and on fine screens at most 1.5 of the screen's:
    // larger it would be blurred.
    const largest = width * Math.min(1, 1.5 / devicePixelRatio);
    this.#picture.style.setProperty("--ratio", width / height);
    this.#picture.style.setProperty("--largest", `${Math.round(largest)}px`);
  }

  /** Show a loaded picture, at once. */
  put(image, alt) {
    this.wait(false);
    image.alt = alt;
    this.#note.hidden = true;
    this.#picture.classList.remove("empty");
    if (this.#picture.firstChild !== image || this.#picture.childNodes.length > 1) {
      this.#picture.replaceChildren(image);
    }
  }

  /** Say why there is no map; `action` is {text, act} or nothing. */
  say({ tone, title, text }, action) {
    this.wait(false);
    this.#picture.replaceChildren();
    this.#picture.classList.add("empty");
    this.#note.dataset.tone = tone;
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#action.hidden = !action;
    this.#action.textContent = action?.text ?? "";
    this.#action.act = action?.act;
    this.#note.hidden = false;
  }

  /** A picture is on its way: dim the old one, but only when it takes long enough to notice. */
  wait(waiting) {
    clearTimeout(this.#slow);
    const mark = (on) => {
      this.#busy.classList.toggle("on", on);
      this.#picture.classList.toggle("stale", on);
    };
    if (waiting) this.#slow = setTimeout(mark, SLOW_MS, true);
    else mark(false);
  }

  get empty() {
    return !this.#picture.querySelector("img");
  }
}
