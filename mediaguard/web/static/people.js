// While photos are looked at or a list is read, the form says so and cannot be sent twice.
"use strict";

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    form.setAttribute("aria-busy", "true");
    const status = form.querySelector("[data-wait]");
    status.textContent = status.dataset.wait;
    // Not at once: a button that is off would not be sent.
    setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
  });
}
// Going back shows the page as it was left: then it can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.removeAttribute("aria-busy");
    form.querySelector("[data-wait]").textContent = "";
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
});
