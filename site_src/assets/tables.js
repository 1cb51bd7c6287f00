/* Sorts and filters the tables of a page; without this file they are plain tables.

   <div class="data-table"><table> <thead> one row of <th> … <td data-value="12.5">12.5 tok/s</td>
   A column is sorted by number when every known value in it is one; data-value is used where a cell has it.
   Missing values (data-value="", an empty cell, or a .reason) come last in either direction. */
(() => {
  "use strict";

  const FILTER_ABOVE = 12;    // rows
  const ready = new WeakSet();
  const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  const isOfMachine = row => {
    const shown = document.documentElement.dataset.shown;
    return shown === "*" || !row.dataset.machine || row.dataset.machine === shown;
  };

  const markEmpty = box =>
    box.classList.toggle("empty", ![...box.querySelectorAll("tbody tr")].some(isOfMachine));

  function valueOf(cell) {
    if (!cell) return null;
    const text = cell.dataset.value ?? (cell.querySelector(".reason") ? "" : cell.textContent);
    return /^[\s–—-]*$/.test(text) ? null : text.trim();
  }

  function sort(body, column, direction) {
    const rows = [...body.rows].map(row => [valueOf(row.cells[column]), row]);
    const known = rows.filter(([value]) => value !== null);
    const missing = rows.filter(([value]) => value === null);
    const compare = known.every(([value]) => Number.isFinite(Number(value)))
      ? (a, b) => a - b : (a, b) => words.compare(a, b);
    known.sort(([a], [b]) => direction * compare(a, b));
    body.append(...[...known, ...missing].map(([, row]) => row));
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    headers.forEach((header, column) => {
      if (!header.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      // Three states: up, down, and the order the page chose.
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[header.ariaSort] ?? null;
        const state = header.ariaSort ? next : "ascending";
        headers.forEach(other => other.removeAttribute("aria-sort"));
        if (state) {
          header.setAttribute("aria-sort", state);
          sort(body, column, state === "ascending" ? 1 : -1);
        } else {
          body.append(...original);
        }
      });
    });
  }

  function makeFilter(box, table) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length <= FILTER_ABOVE) return;
    const bar = document.createElement("div");
    bar.className = "table-filter";
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "search";
    input.autocomplete = "off";
    label.append(`${box.dataset.filter} `, input);
    const count = document.createElement("output");
    bar.append(label, count);
    // Every word must occur somewhere in the row.
    const show = () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const here = rows.filter(isOfMachine);
      let shown = 0;
      for (const row of rows) row.hidden = false;
      for (const row of here) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every(word => text.includes(word));
        shown += !row.hidden;
      }
      count.value = wanted.length ? `${shown} / ${here.length}` : `${here.length}`;
    };
    input.addEventListener("input", show);
    document.addEventListener("machine", show);
    show();
    box.before(bar);
  }

  function start() {
    for (const box of document.querySelectorAll(".data-table")) {
      const table = box.querySelector("table");
      if (!table?.tHead?.rows.length || !table.tBodies.length || ready.has(table)) continue;
      ready.add(table);
      markEmpty(box);
      makeSortable(table);
      makeFilter(box, table);
      box.tabIndex = 0;    // so that the keyboard can scroll a wide table sideways
    }
  }

  document.addEventListener("machine", () => document.querySelectorAll(".data-table").forEach(markEmpty));
  start();
  window.document$?.subscribe(start);    // Material's page changes; never emits on file://, hence the line above
})();
