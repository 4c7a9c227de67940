// Model tabs, run and region selects, and the list of products.

import { cycleTime, shortUtcText } from "./times.js";
import { latestText, runText } from "./words.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** Fill a container anew only when what it holds has changed, so that focus and scroll stay. */
function fill(parent, key, make) {
  if (parent.dataset.key === key) return;
  parent.dataset.key = key;
  parent.replaceChildren(...make());
}

export class Menus {
  #models = document.getElementById("models");
  #run = document.getElementById("run");
  #older = document.getElementById("run-older");
  #newer = document.getElementById("run-newer");
  #region = document.getElementById("region");
  #products = document.getElementById("products");

  /** on: choose(change), stepRun(step) */
  constructor(on) {
    this.#models.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) on.choose({ model: button.dataset.id });
    });
    this.#products.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) on.choose({ product: button.dataset.id });
    });
    this.#run.addEventListener("change", () => on.choose({ run: this.#run.value }));
    this.#region.addEventListener("change", () => on.choose({ region: this.#region.value }));
    new ResizeObserver(() => reveal(this.#products)).observe(this.#products);
    this.#older.addEventListener("click", () => on.stepRun(-1));
    this.#newer.addEventListener("click", () => on.stepRun(1));
  }

  draw(session) {
    const { choice, catalog } = session;
    this.#drawModels(catalog.models, choice.model);
    this.#drawRuns(session);
    this.#drawRegions(session.model.regions, catalog.regions, choice.region);
    this.#drawProducts(session);
  }

  #drawModels(models, chosen) {
    fill(this.#models, models.map((model) => model.id).join(), () =>
      models.map((model) => {
        const button = element("button", { type: "button", textContent: model.title });
        button.dataset.id = model.id;
        button.title = model.long_title;
        return button;
      }),
    );
    mark(this.#models, chosen);
  }

  #drawRuns({ choice, cycle, runs, newer }) {
    const followed = choice.run === "latest" ? cycle : null;
    const options = [
      ["latest", latestText(cycleTime(followed), newer)],
      ...runs.map((run) => [run.cycle, runText(run, cycleTime(run.cycle))]),
    ];
    if (cycle && !runs.some((run) => run.cycle === cycle)) {
      options.push([cycle, `${shortUtcText(cycleTime(cycle))} · gone`]);
    }
    fill(this.#run, JSON.stringify(options), () =>
      options.map(([value, text]) => element("option", { value, textContent: text })),
    );
    this.#run.value = choice.run;
    const index = runs.findIndex((run) => run.cycle === cycle);
    this.#older.disabled = index < 0 || index >= runs.length - 1;
    this.#newer.disabled = index <= 0;
  }

  #drawRegions(keys, regions, chosen) {
    fill(this.#region, keys.join(), () =>
      keys.map((key) =>
        element("option", { value: key, textContent: regions[key]?.title ?? key }),
      ),
    );
    this.#region.value = chosen;
  }

  #drawProducts(session) {
    const { model, choice } = session;
    const groups = grouped(model.products);
    fill(this.#products, JSON.stringify(model.products), () =>
      [...groups].map(([group, products]) => {
        const list = element("div", { className: "group" });
        list.setAttribute("role", "group");
        list.setAttribute("aria-label", group);
        list.append(element("h2", { textContent: group }));
        for (const product of products) {
          const button = element("button", { type: "button" });
          button.dataset.id = product.id;
          button.append(element("span", { className: "name", textContent: product.title }));
          button.append(element("span", { className: "remark", textContent: product.note ?? "" }));
          list.append(button);
        }
        return list;
      }),
    );
    mark(this.#products, choice.product);
    for (const button of this.#products.querySelectorAll("button")) {
      const has = session.trackOf(button.dataset.id).published.length > 0;
      button.classList.toggle("without", session.hasManifest && !has);
      button.title = session.hasManifest && !has ? "Nothing of it is online in this run" : "";
    }
  }
}

function grouped(products) {
  const groups = new Map();
  for (const product of products) {
    const same = (name) => name.toLowerCase() === product.group.toLowerCase();
    const group = [...groups.keys()].find(same) ?? product.group;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(product);
  }
  return groups;
}

/** Mark the chosen button. */
function mark(parent, chosen) {
  for (const button of parent.querySelectorAll("button")) {
    const on = button.dataset.id === chosen;
    if (button.getAttribute("aria-pressed") === String(on)) continue;
    button.setAttribute("aria-pressed", on);
    if (on) reveal(parent);
  }
}

/** Bring the chosen button into view where its list scrolls. */
function reveal(parent) {
  const button = parent.querySelector('[aria-pressed="true"]');
  if (!button || parent.scrollHeight <= parent.clientHeight) return;
  const [list, own] = [parent.getBoundingClientRect(), button.getBoundingClientRect()];
  if (own.top < list.top || own.bottom > list.bottom) {
    parent.scrollTop += own.top - list.top - (list.height - own.height) / 2;
  }
}
