"use strict";
// Tables sort and filter, the page is searched, the contents follow, links open what they point at, paper shows what
// matters. Without it, everything can be read.
const text = (row, index) => row.cells[index].textContent.trim();
const figure = (words) => {
  const number = parseFloat(words.replace("\u2212", "-").replace(/[^0-9.eE-]/g, ""));
  return Number.isNaN(number) ? null : number;
};

function sort(table, head) {
  const index = head.cellIndex;
  const descending = head.getAttribute("aria-sort") === "ascending";
  const numeric = head.classList.contains("number");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [numeric ? figure(text(row, index)) : text(row, index), row]);
  const empty = (value) => value === null || value === "\u2013";
  rows.sort(([a], [b]) => {
    if (empty(a) || empty(b)) return empty(a) - empty(b);
    const order = numeric ? a - b : a < b ? -1 : a > b ? 1 : 0;
    return descending ? -order : order;
  });
  body.append(...rows.map(([, row]) => row));
  for (const other of head.parentNode.cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

function filter(box) {
  const words = box.value.trim().toLowerCase();
  const rows = document.getElementById(box.dataset.table).tBodies[0].rows;
  let shown = 0;
  for (const row of rows) {
    row.hidden = !row.textContent.toLowerCase().includes(words);
    shown += row.hidden ? 0 : 1;
  }
  box.closest(".filter").querySelector("output").textContent = words ? `${shown} of ${rows.length} shown` : "";
}

const exhibits = [...document.querySelectorAll("article.exhibit")];
const entry = (id) => document.querySelector(`.contents a[href="#${CSS.escape(id)}"]`);
const tools = document.querySelector(".tools");
const [search, chapter, level] = ["search", "chapter", "level"].map((id) => document.getElementById(id));
const said = new Map();

function wordsOf(exhibit) {
  if (!said.has(exhibit)) {
    const parts = [...exhibit.children].filter((part) => !part.matches(".method"));
    said.set(exhibit, parts.map((part) => part.textContent).join(" ").toLowerCase());
  }
  return said.get(exhibit);
}

function narrow() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text) => words.every((word) => text.includes(word));
  const narrowed = words.length || chapter.value || level.value;
  let shown = 0;
  for (const exhibit of exhibits) {
    const here = !chapter.value || exhibit.closest("section").id === chapter.value;
    const levelled = !level.value || exhibit.querySelector(`.findings > .${level.value}`);
    exhibit.hidden = !(here && levelled && has(wordsOf(exhibit)));
    shown += exhibit.hidden ? 0 : 1;
    const line = entry(exhibit.id);
    if (line) line.parentElement.hidden = exhibit.hidden;
  }
  for (const section of document.querySelectorAll("section.chapter")) {
    section.hidden = narrowed && !section.querySelector("article.exhibit:not([hidden])");
    const line = entry(section.id);
    if (line) line.parentElement.hidden = section.hidden;
  }
  for (const finding of document.querySelectorAll(".verdict .findings > li")) {
    const link = finding.querySelector(".links a");
    const of = link && document.getElementById(link.hash.slice(1));
    const here = !chapter.value || (of && of.closest("section").id === chapter.value);
    const levelled = !level.value || finding.classList.contains(level.value);
    finding.hidden = !(here && levelled && has(finding.textContent.toLowerCase()));
  }
  for (const group of document.querySelectorAll(".verdict .group")) {
    group.hidden = narrowed && !group.querySelector("li:not([hidden])");
    if (group.tagName === "DETAILS" && narrowed) group.open = true;
  }
  tools.querySelector("output").textContent = narrowed ? `${shown} of ${exhibits.length} questions` : "";
}

function follow() {
  const seen = new Map();
  const places = document.querySelectorAll("main > section:not(.chapter), article.exhibit");
  const watch = new IntersectionObserver((changes) => {
    for (const change of changes) seen.set(change.target, change.isIntersecting);
    const first = [...places].find((place) => seen.get(place));
    const link = first && entry(first.id);
    const before = document.querySelector(".contents [aria-current]");
    if (!link || link === before) return;
    if (before) before.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const box = document.querySelector(".contents");
    const [top, low] = [link.offsetTop - 80, link.offsetTop + 80 - box.clientHeight];
    if (box.scrollTop > top || box.scrollTop < low) box.scrollTop = box.scrollTop > top ? top : low;
  }, { rootMargin: "0px 0px -60% 0px" });
  places.forEach((place) => watch.observe(place));
}

function open(hash) {
  const target = hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null;
  if (!target) return;
  if (target.closest("[hidden]")) {
    for (const box of [search, chapter, level]) box.value = "";
    narrow();
  }
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("th button");
  if (button) sort(button.closest("table"), button.closest("th"));
  const link = event.target.closest('a[href^="#"]');
  if (link) setTimeout(open, 0, link.hash);
});
document.addEventListener("input", (event) => {
  if (event.target.matches(".filter input")) filter(event.target);
  if (event.target.closest(".tools")) narrow();
});
document.querySelectorAll(".filter, .tools").forEach((box) => { box.hidden = false; });
follow();
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details.printed:not([open])").forEach((box) => {
    box.open = true;
    box.dataset.closed = "";
  });
});
window.addEventListener("afterprint", () => {
  document.querySelectorAll("details[data-closed]").forEach((box) => {
    box.open = false;
    delete box.dataset.closed;
  });
});
open(location.hash);
