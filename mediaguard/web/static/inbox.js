// The inbox: files are sent one by one, and what becomes of each is asked until it is known.
// A file's name is only shown here and searched for names of people; it is not kept.
"use strict";

const AT_ONCE = 2, PAUSE = 1500, ASKED = 50;
const KIND = { "in-hand": "info", received: "info", held: "wait", blocked: "bad", rejected: "bad", gone: "bad", released: "good", failed: "bad" };
const form = document.getElementById("bring");
const drop = document.getElementById("drop");
const picker = document.getElementById("files");
const list = document.getElementById("list");
const queue = [];
let sending = 0;

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.channel.addEventListener("change", () => { document.getElementById("first").textContent = ""; });
picker.addEventListener("click", (event) => { if (!hasChannel()) event.preventDefault(); });
picker.addEventListener("change", () => { add(picker.files); picker.value = ""; });
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => event.preventDefault()); // a file beside the field must not open
}
drop.addEventListener("dragover", () => drop.classList.add("over"));
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { drop.classList.remove("over"); add(event.dataTransfer.files); });
window.addEventListener("beforeunload", (event) => { if (sending || queue.length) event.preventDefault(); });

function make(tag, className = "", text = "") {
  const one = document.createElement(tag);
  one.className = className;
  one.textContent = text;
  return one;
}

// With several channels nothing goes anywhere before somebody said where to.
function hasChannel() {
  if (form.channel.value) return true;
  document.getElementById("first").textContent = form.dataset.first;
  form.channel.focus();
  return false;
}

function about(file) {
  const data = new FormData(form);
  const said = { channel: data.get("channel"), groups: data.getAll("groups"), file_name: file.name.slice(0, 255) };
  for (const name of ["title", "caption", "alt_text"]) said[name] = data.get(name) ?? "";
  return encodeURIComponent(JSON.stringify(said));
}

function add(files) {
  if (!files.length || !hasChannel()) return;
  for (const file of files) {
    const row = make("li", "file card");
    row.append(make("div", "thumb"), make("div", "about"), make("div", "row links"));
    const head = make("div", "row");
    head.append(make("span", "name", file.name), make("span", "state"));
    row.querySelector(".about").append(head, make("p", "words"));
    document.getElementById("sent").hidden = false;
    document.getElementById("nothing")?.setAttribute("hidden", "");
    list.prepend(row);
    // What is chosen now counts for this file, whatever is chosen for the next.
    const job = { file, row, about: about(file) };
    if (file.size > Number(form.dataset.mb) * 1e6) { tell(job, "failed", form.dataset.large); continue; }
    tell(job, "in-hand", "", form.dataset.waiting);
    queue.push(job);
  }
  next();
}

function next() {
  while (sending < AT_ONCE && queue.length) send(queue.shift());
}

function send(job) {
  sending += 1;
  const bar = make("progress");
  bar.max = 1; bar.value = 0;
  bar.setAttribute("aria-label", `${form.dataset.sending}: ${job.file.name}`);
  job.row.querySelector(".about").append(bar);
  tell(job, "in-hand", "", form.dataset.sending);
  const request = new XMLHttpRequest();
  const stop = make("button", "quiet", form.dataset.stop);
  stop.type = "button";
  stop.addEventListener("click", () => request.abort());
  job.row.querySelector(".links").replaceChildren(stop);
  request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
  request.addEventListener("loadend", () => {
    sending -= 1;
    bar.remove();
    job.row.querySelector(".links").replaceChildren();
    finish(job, request);
    next();
  });
  request.addEventListener("abort", () => { job.stopped = true; });
  request.open("POST", "/console/inbox/files");
  request.responseType = "json";
  request.setRequestHeader("accept", "application/json");
  request.setRequestHeader("accept-language", document.documentElement.lang);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.setRequestHeader("x-csrf-token", token);
  request.setRequestHeader("x-about", job.about);
  request.send(job.file);
}

function finish(job, request) {
  if (request.status === 401) { window.location.reload(); return; }
  const answer = request.response;
  if (request.status !== 202 || !answer) {
    tell(job, "failed", job.stopped ? form.dataset.stopped : answer?.detail ?? form.dataset.failed);
    return;
  }
  job.row.dataset.item = answer.id;
  if (answer.note) job.row.querySelector(".about").append(make("p", "note", answer.note));
  for (const sentence of answer.named) job.row.querySelector(".about").append(make("p", "named", sentence));
  if (answer.mine && answer.state !== "rejected") job.row.querySelector(".links").append(removal(job, answer.id));
  outcome(job.row, answer);
}

function removal(job, item) {
  const one = document.getElementById("removal").content.firstElementChild.cloneNode(true);
  one.action = `/console/inbox/${item}/remove`;
  one.querySelector(".hidden-words").textContent = ` ${job.file.name}`;
  return one;
}

// What was just brought in is removed without leaving the page: others may still be on their way.
document.addEventListener("submit", async (event) => {
  const one = event.target;
  if (event.defaultPrevented || !one.closest("#list .remove")) return;
  event.preventDefault();
  const row = one.closest("li");
  try {
    await fetch(one.action, { method: "POST", body: new URLSearchParams(new FormData(one)), credentials: "same-origin" });
    row.toggleAttribute("data-waits", true); // what became of it is asked
  } catch { one.submit(); }
});

function tell(job, state, words, label = "") {
  const badge = make("span", `badge ${KIND[state] ?? "info"}`, label || form.dataset.not);
  job.row.querySelector(".state").replaceChildren(badge);
  job.row.querySelector(".words").textContent = words;
  if (words) say(`${job.file.name}: ${words}`);
}

// -- what becomes of them ----------------------------------------------------------------------

function outcome(row, item) {
  row.toggleAttribute("data-waits", !item.done);
  row.querySelector(".state").replaceChildren(make("span", `badge ${KIND[item.state] ?? "info"}`, item.label));
  row.querySelector(".words").textContent = item.words;
  if (!item.done) return;
  const name = row.querySelector(".name")?.textContent ?? item.id.slice(0, 8);
  say(`${name}: ${item.label}. ${item.words}`);
  if (item.picture) {
    const picture = make("img");
    picture.src = item.picture;
    picture.alt = "";
    row.querySelector(".thumb").replaceChildren(picture);
  }
  const links = row.querySelector(".links");
  for (const old of links.querySelectorAll("a")) old.remove();
  if (item.state === "rejected") links.querySelector("form")?.remove();
  const wanted = item.state === "released" ? [[item.published, form.dataset.see]] : [[item.review, form.dataset.look]];
  for (const [address, words] of wanted) {
    if (!address) continue;
    const link = make("a", "", words);
    link.href = address;
    links.prepend(link);
  }
}

function say(words) { document.getElementById("told").textContent = words; }

async function poll() {
  const rows = [...document.querySelectorAll("[data-waits]")].slice(0, ASKED);
  const ids = [...new Set(rows.map((row) => row.dataset.item))];
  try {
    if (ids.length) {
      const response = await fetch(`/console/inbox/state?items=${ids.join(",")}`, { headers: { accept: "application/json" } });
      if (response.status === 401) { window.location.reload(); return; }
      if (response.ok) {
        const { items } = await response.json();
        for (const item of items) {
          for (const row of rows) if (row.dataset.item === item.id) outcome(row, item);
        }
      }
    }
  } catch { /* the server is away for a moment: asked again */ }
  setTimeout(poll, PAUSE);
}
setTimeout(poll, PAUSE);
