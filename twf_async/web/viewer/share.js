// Links for forums and chats: the page, the picture, BBCode, Markdown, HTML; and the download.

import * as address from "./address.js";
import { pictureUrl } from "./api.js";

const HINTS = {
  latest: "Shows the newest run that has this map, also tomorrow.",
  cycle: "Stays with this run, until the run is removed from the server.",
};
const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Every kind of link to what is shown; `run` is "latest" or "cycle". */
export function links({ choice, cycle, title }, run, origin) {
  const chosen = run === "latest" ? "latest" : cycle;
  const page = `${origin}/${address.write({ ...choice, run: chosen })}`;
  const image = origin + pictureUrl({ ...choice, cycle: chosen });
  return {
    page,
    image,
    bbcode: `[url=${page}][img]${image}[/img][/url]`,
    markdown: `[![${title.replace(/[[\]]/g, "")}](${image})](${page})`,
    html: `<a href="${escaped(page)}"><img src="${escaped(image)}" alt="${escaped(title)}"></a>`,
  };
}

export class Share {
  #menu = document.getElementById("share");
  #hint = document.getElementById("share-hint");
  #download = document.getElementById("download");
  #size = document.getElementById("download-size");
  #toast = document.getElementById("toast");
  #timer = 0;
  #shown = () => null;

  /** `shown()` gives {choice, cycle, title} of the map shown, or null. */
  constructor(shown) {
    this.#shown = shown;
    this.#menu.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copy]");
      if (button) this.copy(button.dataset.copy);
      else if (event.target.closest("#download")) this.#menu.open = false;
    });
    this.#menu.addEventListener("change", () => this.#explain());
    document.addEventListener("pointerdown", (event) => {
      if (!this.#menu.contains(event.target)) this.#menu.open = false;
    });
    this.#menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.#menu.open = false;
      this.#menu.querySelector("summary").focus();
    });
    this.#explain();
  }

  /** Let the download point at the picture shown. */
  draw(url, name, bytes) {
    this.#download.hidden = !url;
    if (!url) return;
    this.#download.href = url;
    this.#download.download = name;
    this.#size.textContent = bytes ? `PNG, ${Math.round(bytes / 1000)} kB` : "PNG";
  }

  async copy(kind) {
    const shown = this.#shown();
    if (!shown) return;
    const text = links(shown, this.#run, location.origin)[kind];
    this.#menu.open = false;
    const copied = await copyText(text);
    this.say(copied ? "Copied" : text);
  }

  /** A word that goes away by itself. */
  say(text) {
    clearTimeout(this.#timer);
    this.#toast.textContent = text;
    this.#toast.hidden = false;
    this.#timer = setTimeout(() => (this.#toast.hidden = true), text.length > 20 ? 8000 : 1600);
  }

  get #run() {
    return this.#menu.querySelector("input:checked").value;
  }

  #explain() {
    this.#hint.textContent = HINTS[this.#run];
  }
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text); // no clipboard API without https
  }
}

function copyByHand(text) {
  const field = Object.assign(document.createElement("textarea"), { value: text });
  field.className = "vh";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
