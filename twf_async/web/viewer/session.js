// What the reader has chosen, what is known of runs and frames, and how the one follows the other.

import * as api from "./api.js";
import { hourFor, isSettled, nearest, readyToFollow, trackOf } from "./choose.js";
import { merge } from "./merge.js";
import { cycleTime, hourName, validTime } from "./times.js";

export class Session {
  catalog = { models: [], regions: {} };
  choice = { model: "", run: "latest", region: "", product: "", hour: null };
  cycle = null; // the run that is shown; choice.run may be "latest"
  #runs = new Map(); // model -> summaries, newest first
  #manifests = new Map(); // "model/cycle/region" -> manifest
  #tracks = new Map();
  #wanted = null; // the moment the reader looks at; kept when the map there is missing
  #held = ""; // why nothing new is made for now, whatever the run
  #turn = 0;
  #onChange;

  /** `onChange()` is called after anything that is shown has changed. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get model() {
    return this.catalog.models.find((model) => model.id === this.choice.model);
  }

  get product() {
    return this.model?.products.find((product) => product.id === this.choice.product);
  }

  get region() {
    return this.catalog.regions[this.choice.region];
  }

  get runs() {
    return this.#runs.get(this.choice.model) ?? [];
  }

  get manifest() {
    return this.#manifests.get(this.#name(this.cycle));
  }

  get hasManifest() {
    return this.manifest !== undefined;
  }

  get track() {
    return this.trackOf(this.choice.product);
  }

  /** The moment the shown map is valid at, or null. */
  get shownMs() {
    if (this.choice.hour === null || !this.cycle) return null;
    return validTime(this.cycle, this.choice.hour);
  }

  /** The hours of a product in the shown run; computed once until something changes. */
  trackOf(product) {
    const name = `${this.#name(this.cycle)}/${product}`;
    let track = this.#tracks.get(name);
    if (!track) {
      track = trackOf(this.manifest, this.choice.region, product, this.#held);
      this.#tracks.set(name, track);
    }
    return track;
  }

  /** Take note of why nothing new is made for now; "" when it is again. */
  hold(reason) {
    if (reason === this.#held) return;
    this.#held = reason;
    this.#tracks.clear();
    if (this.model) this.#onChange();
  }

  /** Where the picture of an hour lies, with its hash; null when it is not online. */
  pictureUrl(hour) {
    const record = this.track.record(hour);
    if (record?.state !== "published") return null;
    return api.pictureUrl({ ...this.choice, cycle: this.cycle, hour }, record.hash);
  }

  /** Begin with what the address asks for; throws when the server does not answer. */
  async start(asked) {
    this.catalog = await api.models();
    const model = this.catalog.models.find((known) => known.latest) ?? this.catalog.models[0];
    if (!model) throw new Error("no model is configured");
    await this.choose({ model: model.id, run: "latest", ...asked }, asked.hour ?? null);
    if (asked.product || this.track.published.length) return;
    const begun = this.model.products.find(({ id }) => this.trackOf(id).published.length);
    if (begun) await this.choose({ product: begun.id }, asked.hour ?? null);
  }

  /** Change model, run, region or product; the valid time stays, or comes as near as it can. */
  async choose(change, askedHour = null) {
    this.#turn += 1;
    const turn = this.#turn;
    const shown = this.shownMs;
    const choice = this.#completed({ ...this.choice, ...change });
    if (change.model && change.model !== this.choice.model && !change.run) choice.run = "latest";
    if (!this.#runs.has(choice.model)) {
      const runs = await api.runs(choice.model);
      this.#runs.set(choice.model, runs);
    }
    const cycle = await this.#resolve(choice, askedHour);
    if (turn !== this.#turn) return; // the reader has gone on
    this.choice = choice;
    this.cycle = cycle;
    const track = this.track;
    if (askedHour !== null && track.hours.includes(askedHour)) choice.hour = askedHour;
    else if (askedHour !== null && track.hours.length) {
      choice.hour = nearest(cycle, track.hours, validTime(cycle, askedHour));
    } else choice.hour = hourFor(track, this.#wanted, shown, Date.now());
    if (askedHour !== null && choice.hour !== null) this.#wanted = this.shownMs;
    this.#onChange();
  }

  /** Show an hour of the run. */
  seek(hour) {
    if (hour === null || hour === this.choice.hour) return;
    this.choice.hour = hour;
    this.#wanted = this.shownMs;
    this.#onChange();
  }

  /** The run before (-1) or after (+1) this one, at the same valid time. */
  async stepRun(step) {
    const index = this.runs.findIndex((run) => run.cycle === this.cycle);
    const run = this.runs[index - step];
    if (index < 0 || !run) return;
    await this.choose({ run: run.cycle });
  }

  /** A run newer than the one shown, of which something is online; null when there is none. */
  get newer() {
    const run = this.runs.find((candidate) => candidate.counts.published);
    return run && this.cycle && run.cycle > this.cycle ? run : null;
  }

  /** Show the newest run now, as near to the same valid time as it has come, and follow it. */
  async showNewest() {
    const { newer } = this;
    if (!newer) return;
    await this.choose({ run: newer.cycle });
    if (this.cycle !== newer.cycle) return;
    this.choice.run = "latest";
    this.#onChange();
  }

  /** On "latest": move on to a newer run once it has the map that is being looked at. */
  async follow() {
    const { newer } = this;
    if (this.choice.run !== "latest") return;
    const isGone = !this.runs.some(({ cycle }) => cycle === this.cycle);
    if (!this.cycle || this.choice.hour === null || isGone) {
      if (this.runs.length) await this.choose({});
      return;
    }
    if (!newer) return;
    const { model, region, product } = this.choice;
    const cycle = this.cycle;
    const manifest = await this.#load(model, newer.cycle, region);
    const same = this.choice.model === model && this.cycle === cycle;
    if (!same || this.choice.run !== "latest" || this.choice.region !== region) return;
    if (readyToFollow(trackOf(manifest, region, product), this.#wanted ?? this.shownMs)) {
      this.cycle = newer.cycle;
      await this.choose({});
    }
  }

  /** Take note of a frame that has just come online. */
  published({ model, cycle, region, product, hour, hash }) {
    const manifest = this.#manifests.get(`${model}/${cycle}/${region}`);
    if (!manifest?.hours.includes(hour)) return false;
    const cells = ((manifest.frames[region] ??= {})[product] ??= {});
    cells[hourName(hour)] = { state: "published", hash, noted: performance.now() };
    this.#tracks.clear();
    if (model === this.choice.model && cycle === this.cycle && region === this.choice.region) {
      this.#settle();
    }
    return true;
  }

  /** Ask again for models, runs and the shown manifest; `moveOn`: to a newer run, if it is time. */
  async refresh({ moveOn = true } = {}) {
    this.catalog = await api.models();
    const { model } = this.choice;
    this.#runs.set(model, await api.runs(model));
    if (!this.model) {
      await this.start({});
      return;
    }
    if (this.cycle) await this.#reload();
    this.#settle();
    if (moveOn) await this.follow();
  }

  /** Ask again for the hours of the shown product only: small, for while a run comes in. */
  async refreshTrack() {
    if (!this.cycle) return;
    await this.#reload(this.choice.product);
    this.#settle();
  }

  /** Have the runs before and after at hand, for stepping between them. */
  async preloadNeighbours() {
    const { model, region } = this.choice;
    const index = this.runs.findIndex((run) => run.cycle === this.cycle);
    if (index < 0) return;
    for (const run of [this.runs[index + 1], this.runs[index - 1]]) {
      if (run) await this.#load(model, run.cycle, region).catch(() => undefined);
    }
  }

  #settle() {
    if (this.choice.hour === null) this.choice.hour = hourFor(this.track, null, null, Date.now());
    this.#onChange();
  }

  #name(cycle) {
    return `${this.choice.model}/${cycle}/${this.choice.region}`;
  }

  /** The choice with what the model does not have replaced by what it has. */
  #completed(choice) {
    const model = this.catalog.models.find((known) => known.id === choice.model);
    const settled = model ?? this.catalog.models[0];
    const products = settled.products.map((product) => product.id);
    return {
      ...choice,
      model: settled.id,
      product: products.includes(choice.product) ? choice.product : products[0],
      region: settled.regions.includes(choice.region) ? choice.region : settled.regions[0],
    };
  }

  /** The cycle that a choice means, with its manifest loaded; null when there is no run at all. */
  async #resolve({ model, run, region, product }, hour) {
    const runs = this.#runs.get(model);
    if (run !== "latest") {
      await this.#load(model, run, region).catch((fault) => {
        if (fault.status !== 404) throw fault; // a run that is gone is shown as such
      });
      return run;
    }
    const stays = model === this.choice.model && runs.some((known) => known.cycle === this.cycle);
    if (stays) {
      await this.#load(model, this.cycle, region);
      return this.cycle;
    }
    const shown = runs.filter((known) => known.counts.published);
    if (!shown.length) {
      if (runs[0]) await this.#load(model, runs[0].cycle, region);
      return runs[0]?.cycle ?? null;
    }
    for (const { cycle } of shown.slice(0, 2)) {
      const track = trackOf(await this.#load(model, cycle, region), region, product);
      if (this.#suits(track, hour)) return cycle;
    }
    return shown[0].cycle;
  }

  /** Whether a run that may still be coming in has what is asked for. */
  #suits(track, hour) {
    if (track.state !== "running") return true;
    if (hour !== null) return isSettled(track, hour);
    return readyToFollow(track, this.#wanted);
  }

  async #load(model, cycle, region) {
    const name = `${model}/${cycle}/${region}`;
    const known = this.#manifests.get(name);
    if (known && known.state !== "running") return known;
    if (known && model === this.choice.model && cycle === this.cycle) return known;
    const manifest = await api.manifest(model, cycle, region);
    return this.#merge(name, manifest, performance.now());
  }

  async #reload(product) {
    const { model, region } = this.choice;
    const name = this.#name(this.cycle);
    const asked = performance.now();
    try {
      this.#merge(name, await api.manifest(model, this.cycle, region, product), asked);
    } catch (fault) {
      if (fault.status !== 404) throw fault;
      this.#manifests.delete(name); // the run has been removed
      this.#tracks.clear();
    }
  }

  /** Take over an answer. */
  #merge(name, fresh, asked) {
    this.#tracks.clear();
    const known = this.#manifests.get(name);
    if (known) return merge(known, fresh, asked);
    this.#manifests.set(name, fresh);
    return fresh;
  }

  /** The start of the shown run. */
  get initMs() {
    return cycleTime(this.cycle);
  }
}
