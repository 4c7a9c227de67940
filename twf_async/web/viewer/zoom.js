// The map as large as its text wants, in the same place: moved by finger, mouse, wheel or keys.
// Pinching is the browser's own and works besides.

const MOST = 3; // times as large as it fits: more is lost on a small screen
const LEAST = 1.25; // less is not worth a press
const DRAG_PX = 4; // a press that moves further moves the map
const STEP_PX = 80;

export class Zoom {
  #stage = document.getElementById("stage");
  #picture = document.getElementById("picture");
  #button = document.getElementById("zoom");
  #natural = 0; // width of the map in its own pixels
  #drag = null; // where the mouse was pressed, and whether it has moved the map since

  constructor() {
    this.#button.addEventListener("click", () => this.toggle());
    this.#picture.addEventListener("click", (event) => {
      const isPinched = visualViewport?.scale > 1.05; // the reader has come closer by himself
      if (this.#drag?.moved || isPinched || !this.#picture.querySelector("img")) return;
      const box = this.#picture.getBoundingClientRect();
      this.toggle((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    this.#stage.addEventListener("pointerdown", (event) => this.#press(event));
    this.#stage.addEventListener("pointermove", (event) => this.#move(event));
    new ResizeObserver(() => this.#fit()).observe(this.#stage);
  }

  get on() {
    return this.#stage.classList.contains("zoomed");
  }

  /** Take note of how wide this region's maps are. */
  shape({ width_px: width }) {
    if (width === this.#natural) return;
    this.#natural = width;
    this.#fit();
  }

  /** Large or fitting; the point at (x, y) of the map, 0..1, goes to the middle. */
  toggle(x = 0.5, y = 0.5) {
    if (this.on) this.#set(false);
    else if (!this.#button.disabled) {
      this.#set(true);
      const { clientWidth, clientHeight } = this.#stage;
      this.#stage.scrollLeft = x * this.#picture.offsetWidth - clientWidth / 2;
      this.#stage.scrollTop = y * this.#picture.offsetHeight - clientHeight / 2;
    }
  }

  /** Move an enlarged map by steps to the right and down; says whether it is enlarged. */
  pan(right, down) {
    if (this.on) this.#stage.scrollBy(right * STEP_PX, down * STEP_PX);
    return this.on;
  }

  #set(on) {
    this.#stage.classList.toggle("zoomed", on);
    this.#button.setAttribute("aria-pressed", on);
    if (!on) this.#fit();
  }

  /** How large is large here; where the map fits as it is, there is nothing to enlarge. */
  #fit() {
    const was = this.on;
    this.#stage.classList.remove("zoomed");
    const fitting = this.#picture.offsetWidth;
    const large = Math.min(this.#natural, MOST * fitting);
    const useful = large > LEAST * fitting;
    this.#picture.style.setProperty("--zoomed", `${Math.round(large)}px`);
    this.#button.disabled = !useful;
    this.#stage.classList.toggle("zoomable", useful);
    if (was && useful) this.#stage.classList.add("zoomed");
    else this.#button.setAttribute("aria-pressed", false);
  }

  #press({ pointerType, button, clientX, clientY }) {
    const { scrollLeft, scrollTop } = this.#stage;
    const byMouse = pointerType === "mouse" && button === 0;
    this.#drag = byMouse ? { clientX, clientY, scrollLeft, scrollTop, moved: false } : null;
  }

  #move({ buttons, clientX, clientY }) {
    const drag = this.#drag;
    if (!drag || !this.on || !(buttons & 1)) return;
    const [dx, dy] = [clientX - drag.clientX, clientY - drag.clientY];
    drag.moved ||= Math.hypot(dx, dy) > DRAG_PX;
    if (drag.moved) this.#stage.scrollTo(drag.scrollLeft - dx, drag.scrollTop - dy);
  }
}
