// The keyboard. Fields, open menus and dialogs keep their own keys.

const PANS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** `actions` has a function for each name below; `busy()` says that a dialog or menu is open. */
export function listen(actions, busy) {
  const keys = {
    ArrowLeft: () => actions.step(-1),
    ArrowRight: () => actions.step(1),
    PageUp: () => actions.stepDay(-1),
    PageDown: () => actions.stepDay(1),
    ArrowUp: () => actions.stepProduct(-1),
    ArrowDown: () => actions.stepProduct(1),
    Home: actions.first,
    End: actions.last,
    " ": actions.play,
    "[": () => actions.stepRun(-1),
    "]": () => actions.stepRun(1),
    l: actions.loop,
    c: actions.copy,
    z: actions.zoom,
    Escape: actions.unzoom,
    f: actions.fullscreen,
    t: actions.theme,
    "?": actions.help,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy()) return;
    if (event.target.closest("select, input, textarea, summary")) return;
    // A button that the keyboard has reached is pressed by the space bar, as everywhere.
    if (event.key === " " && event.target.closest("button, a")) return;
    if (event.shiftKey && event.key in PANS && actions.pan(...PANS[event.key])) {
      event.preventDefault();
      return;
    }
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
    const act = digit ? () => actions.model(digit - 1) : keys[keyOf(event)];
    if (!act) return;
    event.preventDefault();
    act();
  });
  letGo();
}

const keyOf = ({ key }) => (key.length === 1 ? key.toLowerCase() : key);

/** After a click the focus goes back to the page, so that arrows and space belong to the map. */
function letGo() {
  let byPointer = false;
  document.addEventListener("pointerdown", () => (byPointer = true), true);
  document.addEventListener("keydown", () => (byPointer = false), true);
  const release = (event) => {
    const field = event.target.closest?.(".bar button, .products button, .dock button, select");
    if (byPointer) field?.blur();
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("select")) release(event);
  });
  document.addEventListener("change", release);
}
