// Who keeps new maps from being made for now, and why: an operator, or the service itself.

const OPERATOR = "operator";
const WATCHDOG = "watchdog";
const NO_REASON = "no reason given";
const LONGEST = 120; // a reason may be a page; the map is more than a margin to it

export class Holds {
  #by = {}; // holder -> reason

  /** Take over what /api/v1/status says. */
  take({ gate }) {
    this.#by = { ...gate?.held_by };
  }

  /** Take over what the event status.changed says, which may be of one of them alone. */
  hear({ gate, watchdog }) {
    if (gate) this.take({ gate });
    if (watchdog) this.#by[WATCHDOG] = watchdog.paused;
  }

  /** "paused by the operator: new disks"; "" while maps are made. */
  get text() {
    return Object.entries(this.#by)
      .filter(([, reason]) => reason)
      .map(([holder, reason]) => said(holder, reason))
      .join(" · ");
  }
}

function said(holder, whole) {
  const reason = whole.length > LONGEST ? `${whole.slice(0, LONGEST - 1).trimEnd()}…` : whole;
  if (holder !== OPERATOR) return `on hold: ${reason}`;
  return reason === NO_REASON ? "paused by the operator" : `paused by the operator: ${reason}`;
}
