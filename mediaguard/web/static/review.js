// The review page: acts without loading the picture anew, keys, and a box that is drawn.
// Everything here is a shortcut: without a script each act is a form of its own.
"use strict";

const KEYS = "review-keys"; // whether single keys are used, remembered in this browser
const desk = () => document.getElementById("review");
let selected = 0;
let busy = false;

// -- acts ------------------------------------------------------------------------------------

async function load(url, options = {}) {
  if (busy) return;
  busy = true;
  desk().setAttribute("aria-busy", "true");
  try {
    const response = await fetch(url, { credentials: "same-origin", ...options });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("review");
    if (fresh === null) { window.location.reload(); return; }
    show(fresh, page);
  } catch {
    window.location.reload();
  } finally {
    busy = false;
    desk().removeAttribute("aria-busy");
  }
}

function show(fresh, page) {
  const before = desk();
  const open = new Set([...before.querySelectorAll("details[id][open]")].map((one) => one.id));
  const closed = new Set([...before.querySelectorAll("details[id]:not([open])")].map((one) => one.id));
  const picture = document.getElementById("picture");
  before.replaceWith(document.adoptNode(fresh));
  for (const one of fresh.querySelectorAll("details[id]")) {
    if (open.has(one.id)) one.open = true;
    if (closed.has(one.id)) one.open = false;
  }
  const again = document.getElementById("picture");
  if (picture && again) again.replaceWith(picture); // the same picture: no need to load it again
  document.getElementById("add")?.removeAttribute("open");
  tell(page);
  prepare();
}

function tell(page) {
  const said = document.querySelector("#review [role=alert]") ?? page.querySelector("main > .notice")
    ?? document.querySelector("#review .handling, #review .lead");
  document.querySelector("main > .notice")?.remove();
  const notice = page.querySelector("main > .notice");
  if (notice) {
    const shown = document.adoptNode(notice);
    shown.removeAttribute("role"); // said below, once
    document.getElementById("told").before(shown);
  }
  document.getElementById("told").textContent = said?.textContent.trim() ?? "";
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("form[data-act]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const number = form.closest("[data-face]")?.dataset.face;
  if (number) selected = Number(number);
  load(form.action, { method: "POST", body });
});

// -- selecting -------------------------------------------------------------------------------

function cards() { return [...document.querySelectorAll("article[data-face]")]; }

function select(number, focus = true) {
  const card = document.getElementById(`face-${number}`);
  if (card === null) return;
  selected = number;
  for (const one of document.querySelectorAll("[data-face]")) {
    const here = Number(one.dataset.face) === number;
    one.classList.toggle("selected", here);
    if (one.matches("article")) one.toggleAttribute("aria-current", here);
  }
  if (focus) { card.focus({ preventScroll: true }); card.scrollIntoView({ block: "nearest" }); }
}

function step(by) {
  const count = cards().length;
  if (count) select(selected === 0 ? (by > 0 ? 1 : count) : ((selected - 1 + by + count) % count) + 1);
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.(".boxes [data-face]");
  if (box) { event.preventDefault(); select(Number(box.dataset.face)); return; }
  const card = event.target.closest?.("article[data-face]");
  if (card) select(Number(card.dataset.face), false);
  if (event.target.closest?.("#add > summary") && !document.getElementById("add").open) start();
});

// Whoever says that it is somebody else goes on to say who: what they type belongs into the field.
document.addEventListener("toggle", ({ target }) => {
  if (target.id === "add" && !target.open) stop();
  if (target.open) target.querySelector("input[name=subject]")?.focus();
}, true);

// -- drawing a box ---------------------------------------------------------------------------

let drawing = null; // { rect, x, y, w, h } in pixels of the original

function start() {
  const boxes = document.querySelector(".boxes");
  if (!document.getElementById("add") || !boxes || drawing) return;
  document.getElementById("add").open = true;
  boxes.classList.add("drawing");
  const { width, height } = boxes.viewBox.baseVal;
  const side = Math.min(width, height) / 5;
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("class", "drawn");
  boxes.append(rect);
  drawing = { rect, x: (width - side) / 2, y: (height - side) / 2, w: side, h: side };
  place();
  boxes.closest(".stage").scrollIntoView({ block: "nearest" });
}

function stop() {
  drawing?.rect.remove();
  drawing = null;
  document.querySelector(".boxes")?.classList.remove("drawing");
}

function place() {
  const { width, height } = document.querySelector(".boxes").viewBox.baseVal;
  drawing.w = Math.min(Math.max(drawing.w, 8), width);
  drawing.h = Math.min(Math.max(drawing.h, 8), height);
  drawing.x = Math.min(Math.max(drawing.x, 0), width - drawing.w);
  drawing.y = Math.min(Math.max(drawing.y, 0), height - drawing.h);
  const form = document.querySelector("form[data-place]");
  for (const [name, attribute] of [["x", "x"], ["y", "y"], ["w", "width"], ["h", "height"]]) {
    const value = Math.round(drawing[name]);
    drawing.rect.setAttribute(attribute, value);
    form.elements[name].value = value;
  }
}

function point(event) {
  const boxes = document.querySelector(".boxes");
  const frame = boxes.getBoundingClientRect();
  const { width, height } = boxes.viewBox.baseVal;
  return [(event.clientX - frame.left) / frame.width * width, (event.clientY - frame.top) / frame.height * height];
}

let from = null;
document.addEventListener("pointerdown", (event) => {
  if (!drawing || !event.target.closest(".boxes.drawing")) return;
  event.preventDefault();
  event.target.setPointerCapture?.(event.pointerId);
  from = point(event);
});
document.addEventListener("pointermove", (event) => {
  if (!drawing || !from) return;
  const [x, y] = point(event);
  Object.assign(drawing, { x: Math.min(x, from[0]), y: Math.min(y, from[1]), w: Math.abs(x - from[0]), h: Math.abs(y - from[1]) });
  place();
});
document.addEventListener("pointerup", () => {
  if (!from) return;
  from = null;
  document.querySelector("form[data-place] button").focus();
});

function moveBox(event) {
  const { width } = document.querySelector(".boxes").viewBox.baseVal;
  const by = width / 100;
  const [across, down] = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key] ?? [0, 0];
  if (event.key === "Escape") { stop(); document.getElementById("add").open = false; return true; }
  if (event.key === "Enter" && !event.target.matches("button, summary, input")) {
    document.querySelector("form[data-place]").requestSubmit();
    return true;
  }
  if (!across && !down) return false;
  if (event.shiftKey) { drawing.w += across; drawing.h += down; } else { drawing.x += across; drawing.y += down; }
  place();
  return true;
}

// -- keys ------------------------------------------------------------------------------------

function press(button) {
  if (!button) return;
  if (button.matches("a")) { button.click(); return; }
  button.form.requestSubmit(button);
}

function key(event) {
  const card = document.getElementById(`face-${selected}`);
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (digit && event.shiftKey) return press(card?.querySelector(`[data-confirm="${digit}"]`));
  if (digit) return select(Number(digit));
  if (event.shiftKey && event.key !== "?") return undefined;
  switch (event.key) {
    case "j": case "ArrowRight": return step(1);
    case "k": case "ArrowLeft": return step(-1);
    case "c": return press(card?.querySelector('[data-confirm="1"]'));
    case "n": case "f": case "r": return press(card?.querySelector(`[data-key="${event.key}"]`));
    case "b": return start();
    case "?": { const legend = document.getElementById("legend"); legend.open = !legend.open; legend.scrollIntoView({ block: "nearest" }); return undefined; }
    default: return press(document.querySelector(`#review [data-key="${CSS.escape(event.key)}"]`));
  }
}

// What is pressed where somebody is about to fill in something is never a command.
function isFillingIn(target) { return target.closest("details")?.querySelector("form") != null; }

const KNOWN = new Set(["j", "k", "ArrowLeft", "ArrowRight", "c", "n", "f", "r", "b", "u", "a", "x", ",", ".", "?"]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !drawing || isTyping(event.target)) return;
  if (drawing && moveBox(event)) { event.preventDefault(); return; }
  if (isFillingIn(event.target) || wantsToGo || localStorage.getItem(KEYS) === "off") return;
  if (!KNOWN.has(event.key) && !/^Digit[1-9]$/.test(event.code)) return;
  event.preventDefault();
  key(event);
}, true);

// -- waiting ---------------------------------------------------------------------------------

const PAUSE = 1500;

async function poll() {
  const address = desk()?.dataset.poll;
  if (!address) return;
  try {
    const response = await fetch(address, { headers: { accept: "application/json" } });
    if (response.status === 401) { window.location.reload(); return; }
    if (response.ok && (await response.json()).done) {
      const view = document.querySelector("input[name=view]")?.value ?? "";
      await load(`/console/review/${desk().dataset.item}?view=${encodeURIComponent(view)}`);
      return;
    }
  } catch { /* the server is away for a moment: asked again */ }
  setTimeout(poll, PAUSE);
}

function prepare() {
  drawing = null;
  const use = document.getElementById("use-keys");
  if (use) {
    use.checked = localStorage.getItem(KEYS) !== "off";
    use.addEventListener("change", () => localStorage.setItem(KEYS, use.checked ? "on" : "off"));
  }
  if (selected) select(selected);
  setTimeout(poll, PAUSE);
}

if (window.matchMedia("(max-width: 60rem)").matches) document.getElementById("legend")?.removeAttribute("open");
const hash = /^#face-(\d+)$/.exec(window.location.hash);
if (hash) selected = Number(hash[1]);
prepare();
