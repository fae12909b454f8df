"use strict";
const form = document.querySelector("form");
const table = document.querySelector("table.main");
const body = table.tBodies[0];
const collator = new Intl.Collator("en", { numeric: true });
const shown = document.querySelector("#shown");

function filter() {
  const words = form.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = Array.from(form.querySelectorAll("select"), (s) => [s.name, s.value]);
  let count = 0;
  for (const row of body.rows) {
    const fits = words.every((w) => row.dataset.text.includes(w)) &&
      chosen.every(([name, value]) => !value || row.dataset[name].split(" ").includes(value));
    row.hidden = !fits;
    count += fits;
  }
  shown.textContent = count + " rows";
}

function sort(header) {
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[header.cellIndex].dataset.sort ?? "";
  const rows = Array.from(body.rows, (row) => [key(row), row]);
  rows.sort(([a], [b]) => (down ? -1 : 1) * (a === "" || b === "" ? collator.compare(a, b) : a - b || collator.compare(a, b)));
  body.append(...rows.map(([, row]) => row));
}

for (const header of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header));
  header.append(button);
}
// One piece of evidence at a time; Escape closes it.
document.addEventListener("toggle", (event) => {
  if (event.target.open) for (const other of table.querySelectorAll("details[open]")) other.open = other === event.target;
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of table.querySelectorAll("details[open]")) open.open = false;
});
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
if (form.level) form.level.value = "address";
form.hidden = false;
filter();
