// What every page can do: g and a letter leads to a section; a form that asks is asked for first.
"use strict";

const token = document.querySelector("meta[name=token]")?.content ?? "";

function isTyping(target) {
  return target.closest("input:not([type=checkbox], [type=radio], [type=file]), textarea, select, [contenteditable]") !== null;
}

// On a small screen the sections are one line: the one we are in is to be seen.
const here = document.querySelector(".top nav [aria-current]");
if (here) {
  const line = here.closest("nav");
  line.scrollLeft = here.offsetLeft - (line.clientWidth - here.offsetWidth) / 2;
}

let wantsToGo = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (wantsToGo) {
    wantsToGo = false;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
  } else if (event.key === "g") {
    wantsToGo = true;
    setTimeout(() => { wantsToGo = false; }, 1500);
  }
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask ?? event.target.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});
