"use strict";
// Tables sort and filter, links open what they point at, paper shows what matters. Without it, everything can be read.
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

function open(hash) {
  const target = hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null;
  if (!target) return;
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
});
document.querySelectorAll(".filter").forEach((box) => { box.hidden = false; });
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
