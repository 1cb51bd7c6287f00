/* The choice in the header: which machine's figures are shown (machine.js). Hidden where there is nothing to choose. */
(() => {
  "use strict";

  function start() {
    const picker = document.querySelector(".machine-picker");
    if (!picker || window.machines.length < 2) return;
    const select = picker.querySelector("select");
    if (!select.options.length) {
      for (const name of window.machines) select.add(new Option(name, name));
      select.add(new Option(picker.dataset.all, "*"));
      select.addEventListener("change", () => window.pickMachine(select.value));
    }
    select.value = document.documentElement.dataset.shown;
    picker.hidden = false;
  }

  start();
  window.document$?.subscribe(start);    // Material's page changes; never emits on file://, hence the line above
})();
