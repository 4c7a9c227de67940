// Puts the viewer together: what is chosen (session), what is shown (stage, strip, menus), what moves it.

import * as address from "./address.js";
import * as api from "./api.js";
import { Arrival } from "./arrival.js";
import { loadingOrder } from "./choose.js";
import * as controls from "./controls.js";
import { Frames } from "./frames.js";
import { Holds } from "./holds.js";
import { Live } from "./live.js";
import { Menus } from "./menus.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { Share } from "./share.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { hourName, localText, utcText } from "./times.js";
import { UNLOADABLE, absence, badgeText, mapTitle, refused, silence } from "./words.js";
import { Zoom } from "./zoom.js";

const WHILE_RUNNING_MS = 10e3; // fetching and rendering have no events of their own
const NEWS_MS = 1000; // of many events that need the server asked, one question is made,
const REFRESH_MS = 5e3; // and not more often than this
const ADDRESS_MS = 300; // browsers refuse hundreds of address changes a minute
const RETRY_MS = 5e3;
const NEIGHBOURS_MS = 1500;
const SAVING_REACH = 4; // maps loaded ahead for those who asked their browser to save data
const id = (name) => document.getElementById(name);

const stage = new Stage();
const session = new Session(() => show());
const strip = new Strip((hour) => go(hour));
const menus = new Menus({ choose, stepRun });
const arrival = new Arrival(() => attempt(() => session.showNewest()));
const share = new Share(() => (session.choice.hour === null ? null : described()));
const frames = new Frames((url) => loaded(url));
const player = new Player({
  hours: () => session.track.published.filter((hour) => !frames.failed(session.pictureUrl(hour))),
  current: () => session.choice.hour,
  ready: (hour) => frames.ready(session.pictureUrl(hour)),
  prepare: (hour) => frames.prepare(session.pictureUrl(hour)),
  show: (hour) => session.seek(hour),
  changed: () => show(),
  wrapped: () => attempt(() => session.follow(), { quiet: true }),
});
const zoom = new Zoom();
const holds = new Holds();
const live = new Live({ news, catchUp: missed });
const timers = { address: 0, news: 0, neighbours: 0 };
let silent = false; // the server did not answer when it was asked last
let shownUrl = ""; // of the picture on the stage
let refreshedAt = -Infinity;
let neighboursOf = ""; // the run whose neighbours were asked for

/** Show the session as it is now. Called after every change; parts redraw only what differs. */
function show() {
  const { choice, track, catalog, manifest } = session;
  menus.draw(session);
  arrival.draw(session, silent);
  strip.draw(track);
  strip.point(choice.hour);
  controls.draw(player, track.hours);
  id("brand").textContent = catalog.brand || "Forecast maps";
  const badge = badgeText(manifest, track.record(choice.hour));
  id("notice").textContent = badge;
  id("notice").title = badge;
  id("notice").hidden = !badge;
  arrival.fit();
  drawTimes();
  drawPicture();
  loadAhead();
  if (player.playing) return; // the rest would change many times a second
  drawTitle();
  keepAddress();
}

function drawPicture() {
  const { choice, track, region } = session;
  if (region) shape(region);
  const url = session.pictureUrl(choice.hour);
  share.draw(url, fileName(), track.record(choice.hour)?.bytes);
  if (!url) {
    shownUrl = "";
    const { note, action } = absence(session);
    stage.say(note, action && { text: action, act: () => choose({ run: "latest" }) });
    return;
  }
  const image = frames.ready(url);
  if (image) {
    if (url !== shownUrl || stage.empty) stage.put(image, described().title);
    shownUrl = url;
  } else if (frames.failed(url)) {
    shownUrl = "";
    stage.say(UNLOADABLE);
  } else stage.wait(true);
}

function shape(region) {
  stage.shape(region);
  zoom.shape(region);
}

function fileName() {
  const { model, region, product, hour } = session.choice;
  return `${[model, session.cycle, region, product, hourName(hour)].join("_")}.png`;
}

function drawTimes() {
  const { choice, cycle, shownMs } = session;
  const known = shownMs !== null;
  id("valid-local").textContent = known ? localText(shownMs) : "\u00a0";
  id("valid-local").dateTime = known ? new Date(shownMs).toISOString() : "";
  id("valid-utc").textContent = known ? utcText(shownMs) : "";
  id("lead").textContent = known ? `+${choice.hour} h` : "";
  id("init").textContent = cycle ? `from ${utcText(session.initMs)}` : "";
}

/** The page's title, and what is read out; both only when the map stands still. */
function drawTitle() {
  const { choice, model, product, shownMs, catalog } = session;
  if (!model) return;
  const hour = choice.hour === null ? "" : ` ${hourName(choice.hour)}`;
  document.title = `${model.title} ${product.title}${hour} · ${catalog.brand || "Forecast maps"}`;
  const spoken = shownMs === null ? "" : `Valid ${localText(shownMs)}, plus ${choice.hour} hours`;
  if (id("announce").textContent !== spoken) id("announce").textContent = spoken;
}

/** What is shown, for links and for those who do not see it. */
function described() {
  return { choice: session.choice, cycle: session.cycle, title: mapTitle(session) };
}

function loadAhead() {
  const { choice, track } = session;
  const saving = navigator.connection?.saveData && !player.playing;
  const hours = loadingOrder(track.published, choice.hour, saving ? SAVING_REACH : Infinity);
  frames.want(hours.map((hour) => session.pictureUrl(hour)));
  drawLoaded();
}

function drawLoaded() {
  strip.buffer((hour) => Boolean(frames.ready(session.pictureUrl(hour))));
}

function loaded(url) {
  if (url === session.pictureUrl(session.choice.hour)) drawPicture();
  drawLoaded();
  const run = `${session.choice.model}/${session.cycle}/${session.choice.region}`;
  if (run === neighboursOf) return;
  neighboursOf = run;
  clearTimeout(timers.neighbours);
  timers.neighbours = setTimeout(() => session.preloadNeighbours(), NEIGHBOURS_MS);
}

function keepAddress() {
  clearTimeout(timers.address);
  timers.address = setTimeout(() => {
    if (!session.model) return;
    history.replaceState(null, "", location.pathname + address.write(session.choice));
  }, ADDRESS_MS);
}

/** Do something that asks the server; when it does not answer, say so and go on. */
async function attempt(action, { quiet = false } = {}) {
  try {
    await action();
    hears(true);
    return true;
  } catch (fault) {
    hears(fault.status < 500);
    if (stage.empty && (silent || !quiet)) stage.say(silent ? silence() : refused(fault));
    else if (!quiet) share.say(silent ? silence().title : fault.message);
    return false;
  }
}

/** Take note of whether the server answers; what is known of its runs is old when it does not. */
function hears(well) {
  if (silent === !well) return;
  silent = !well;
  if (session.model) show();
}

function choose(change) {
  return attempt(() => session.choose(change));
}

function stepRun(step) {
  return attempt(() => session.stepRun(step));
}

function go(hour) {
  player.pause();
  session.seek(hour);
}

/** An event of the server. */
function news(name, data) {
  if (name === "frame.published") {
    if (data.model !== session.choice.model) return;
    const known = session.published(data);
    if (known && data.cycle === session.cycle) return;
  }
  if (name === "status.changed") {
    holds.hear(data);
    session.hold(holds.text);
  }
  const rest = refreshedAt + REFRESH_MS - performance.now();
  timers.news ||= setTimeout(catchUp, Math.max(NEWS_MS, rest));
}

/** Ask the server for what may have been missed. The sign in the bar says when it is silent. */
function catchUp() {
  clearTimeout(timers.news);
  timers.news = 0;
  refreshedAt = performance.now();
  if (document.hidden) return;
  attempt(() => session.refresh({ moveOn: !player.playing }), { quiet: true });
}

/** Ask for what events may have told meanwhile, whether maps are made included. */
function missed() {
  catchUp();
  askWhatHolds();
}

function askWhatHolds() {
  const ask = async () => {
    holds.take(await api.status());
    session.hold(holds.text);
  };
  return attempt(ask, { quiet: true });
}

async function start() {
  controls.connect({ session, player, share, zoom, go, choose, stepRun });
  addEventListener("resize", () => session.region && shape(session.region));
  addEventListener("offline", () => hears(false));
  addEventListener("online", missed);
  addEventListener("resize", () => arrival.fit());
  const begin = () => session.start(address.read(location.search));
  while (!(await attempt(begin))) await new Promise((wake) => setTimeout(wake, RETRY_MS));
  live.start();
  askWhatHolds();
  setInterval(() => {
    const running = session.manifest?.state === "running";
    if (running && !document.hidden) attempt(() => session.refreshTrack(), { quiet: true });
  }, WHILE_RUNNING_MS);
  setInterval(() => strip.clock(Date.now()), 60e3);
}

start();
