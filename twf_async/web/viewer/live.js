// News from the server: its event stream, and asking every 30 s where the stream does not hold.

const POLL_MS = 30e3;
const RECONNECT_MS = 60e3;
const PATIENCE_MS = 10e3; // a stream that is not open by then counts as broken
const NAMES = ["frame.published", "run.started", "run.complete", "status.changed", "events.lost"];
const WORDS = {
  live: "Live: new maps appear by themselves",
  polling: "No live connection: looking for new maps every 30 seconds",
  connecting: "Connecting",
};

export class Live {
  #source = null;
  #poll = 0;
  #patience = 0;
  #sign = document.getElementById("live");
  #on;

  /** on: news(name, data) for every event, catchUp() whenever some may have been missed */
  constructor(on) {
    this.#on = on;
    document.addEventListener("visibilitychange", () => this.#visible());
  }

  start() {
    if (!document.hidden) this.#open();
  }

  /** Hidden pages let go of the stream: browsers allow only six connections to one server. */
  #visible() {
    if (document.hidden) {
      this.#close();
      this.#polling(false);
      return;
    }
    this.#on.catchUp();
    this.#open();
  }

  #open() {
    this.#close();
    this.#show("connecting");
    this.#source = new EventSource("/api/v1/events");
    this.#patience = setTimeout(() => this.#polling(true), PATIENCE_MS);
    let opened = false;
    this.#source.onopen = () => {
      clearTimeout(this.#patience);
      this.#polling(false);
      this.#show("live");
      if (opened) this.#on.catchUp();
      opened = true;
    };
    this.#source.onerror = () => this.#broken();
    for (const name of NAMES) {
      this.#source.addEventListener(name, (event) => this.#on.news(name, JSON.parse(event.data)));
    }
  }

  #broken() {
    clearTimeout(this.#patience);
    this.#polling(true);
    if (this.#source?.readyState === EventSource.CLOSED) {
      this.#patience = setTimeout(() => !document.hidden && this.#open(), RECONNECT_MS);
    }
  }

  #polling(on) {
    if (!on) clearInterval(this.#poll);
    else if (!this.#poll) this.#poll = setInterval(() => this.#on.catchUp(), POLL_MS);
    if (on) this.#show("polling");
    else this.#poll = 0;
  }

  #close() {
    clearTimeout(this.#patience);
    this.#source?.close();
    this.#source = null;
  }

  #show(mode) {
    this.#sign.dataset.mode = mode;
    this.#sign.title = WORDS[mode];
    this.#sign.setAttribute("aria-label", WORDS[mode]);
  }
}
