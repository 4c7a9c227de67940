// Buttons and keys: what they are called on the page and in the help, and what they do.

import { nearest } from "./choose.js";
import { listen } from "./keys.js";
import { recall, remember } from "./prefs.js";
import { zoneName } from "./times.js";

const DAY_MS = 24 * 3600e3;
const id = (name) => document.getElementById(name);

/**
 * Connect everything that can be pressed.
 * go(hour), choose(change) and stepRun(step) change what is shown; the rest are the viewer's parts.
 */
export function connect({ session, player, share, zoom, go, choose, stepRun }) {
  const help = id("help-dialog");

  const step = (by) => {
    const { hours } = session.track;
    go(hours[hours.indexOf(session.choice.hour) + by] ?? null);
  };
  const stepDay = (by) => {
    const { cycle, published, hours } = session.track;
    const ms = session.shownMs === null ? null : session.shownMs + by * DAY_MS;
    if (ms !== null) go(nearest(cycle, published.length ? published : hours, ms));
  };
  const stepProduct = (by) => {
    const products = session.model?.products ?? [];
    const index = products.findIndex((product) => product.id === session.choice.product);
    const next = products[index + by];
    if (next) choose({ product: next.id });
  };
  const setLoop = (on) => {
    player.loop = on;
    remember("loop", on);
    draw(player);
  };
  const setRate = (rate) => {
    player.rate = rate;
    id("speed").value = rate;
    remember("rate", rate);
  };
  const fullscreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => undefined);
  };
  const actions = {
    step,
    stepDay,
    stepProduct,
    stepRun,
    fullscreen,
    first: () => go(session.track.published[0] ?? session.track.hours[0] ?? null),
    last: () => go(session.track.published.at(-1) ?? session.track.hours.at(-1) ?? null),
    play: () => player.toggle(),
    zoom: () => zoom.toggle(),
    unzoom: () => zoom.on && zoom.toggle(),
    pan: (right, down) => zoom.pan(right, down),
    loop: () => setLoop(!player.loop),
    copy: () => share.copy("page"),
    theme: () => window.toggleTheme(),
    help: () => help.showModal(),
    model: (index) => {
      const model = session.catalog.models[index];
      if (model) choose({ model: model.id });
    },
  };

  id("back").addEventListener("click", () => step(-1));
  id("forward").addEventListener("click", () => step(1));
  for (const name of ["first", "last", "play", "loop", "fullscreen", "theme", "help"]) {
    id(name).addEventListener("click", actions[name]);
  }
  id("speed").addEventListener("change", (event) => setRate(Number(event.target.value)));
  id("fullscreen").hidden = !document.fullscreenEnabled; // phones of one maker have none
  help.addEventListener("click", (event) => event.target === help && help.close());
  document.addEventListener("fullscreenchange", () => {
    document.documentElement.classList.toggle("full", Boolean(document.fullscreenElement));
  });
  listen(actions, () => help.open || id("share").open);

  id("zone").textContent = zoneName();
  setLoop(recall("loop") !== "false");
  const rates = [...id("speed").options].map((option) => Number(option.value));
  const rate = Number(recall("rate"));
  setRate(rates.includes(rate) ? rate : player.rate);
}

/** Let the buttons show whether it plays and loops, and rest while there is no hour to go to. */
export function draw(player, hours) {
  for (const name of hours ? ["first", "back", "play", "forward", "last"] : []) {
    id(name).disabled = hours.length === 0;
  }
  id("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
  id("play").classList.toggle("playing", player.playing);
  id("loop").setAttribute("aria-pressed", player.loop);
}
