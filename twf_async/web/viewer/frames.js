// Pictures, loaded ahead of being shown: four at a time, the wanted ones first, a bounded number kept.

const PARALLEL = 4;
const KEPT = 200; // compressed in memory: about 30 MB
const DECODED_AHEAD = 8; // a decoded picture is 8 MB; the browser drops more than these anyway
const RETRY_MS = 10e3;

export class Frames {
  #entries = new Map(); // url -> {image, state, failedAt}, least recently wanted first
  #queue = [];
  #loading = 0;
  #wanted = [];
  #retry = 0;
  #onChange;

  /** `onChange(url)` is called when a picture has been loaded, or cannot be. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Load these, in this order; whatever else is still under way is dropped. */
  want(urls) {
    this.#wanted = urls;
    const wanted = new Set(urls);
    for (const [url, entry] of this.#entries) {
      if (entry.state === "loading" && !wanted.has(url)) this.#drop(url, entry);
    }
    this.#queue = urls.filter((url) => this.#isMissing(url));
    for (const url of urls.slice(0, DECODED_AHEAD)) this.prepare(url);
    this.#fill();
    this.#evict(wanted);
  }

  /** The picture, if it can be shown this instant. */
  ready(url) {
    const entry = this.#entries.get(url);
    return entry?.state === "ready" ? entry.image : null;
  }

  failed(url) {
    return this.#entries.get(url)?.state === "failed";
  }

  /** Decode a loaded picture again, for it may have been dropped since; off the main thread. */
  async prepare(url) {
    const image = this.ready(url);
    if (!image) return null;
    this.#touch(url);
    try {
      await image.decode();
    } catch {
      return null;
    }
    return image;
  }

  #isMissing(url) {
    const entry = this.#entries.get(url);
    if (!entry) return true;
    return entry.state === "failed" && performance.now() - entry.failedAt > RETRY_MS;
  }

  #fill() {
    while (this.#loading < PARALLEL && this.#queue.length) this.#load(this.#queue.shift());
  }

  async #load(url) {
    const image = new Image();
    const entry = { image, state: "loading", failedAt: 0 };
    this.#entries.set(url, entry);
    this.#loading += 1;
    image.decoding = "sync"; // swapped in whole or not at all
    image.draggable = false;
    image.src = url;
    try {
      await image.decode();
      entry.state = "ready";
    } catch {
      entry.state = "failed";
      entry.failedAt = performance.now();
    }
    if (this.#entries.get(url) !== entry) return; // dropped meanwhile, and counted then
    this.#loading -= 1;
    this.#onChange(url);
    this.#fill();
    if (entry.state === "failed") {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.want(this.#wanted), RETRY_MS + 100);
    }
  }

  #drop(url, entry) {
    this.#entries.delete(url);
    this.#loading -= 1;
    entry.image.src = ""; // ends the request
  }

  #touch(url) {
    const entry = this.#entries.get(url);
    this.#entries.delete(url);
    this.#entries.set(url, entry);
  }

  #evict(wanted) {
    for (const [url, entry] of this.#entries) {
      if (this.#entries.size <= KEPT) return;
      if (entry.state !== "loading" && !wanted.has(url)) this.#entries.delete(url);
    }
  }
}
