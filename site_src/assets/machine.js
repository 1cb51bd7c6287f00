/* Which machine's figures are shown. Runs in <head>, before anything is painted.

   Whatever belongs to a machine says so: data-machine="…". assets/machines.js lists those there are, the one to begin with
   first. A reader's choice is kept, and can be part of a link: ?machine=NAME. Without JavaScript all are shown. */
(() => {
  "use strict";

  const KEY = "machine";
  const ALL = "*";
  const style = new CSSStyleSheet();    // no element: instant navigation removes from <head> what a page has not
  document.adoptedStyleSheets.push(style);

  const known = name => name === ALL || window.machines.includes(name);

  function stored() {
    try { return localStorage.getItem(KEY); } catch { return null; }    // forbidden, say
  }

  function show(name) {
    const others = `[data-machine]:not([data-machine=${JSON.stringify(name)}])`;
    style.replaceSync(name === ALL ? "" : `${others} { display: none !important; }`);
    document.documentElement.dataset.shown = name;
    document.dispatchEvent(new Event("machine"));
  }

  window.pickMachine = name => {
    try { localStorage.setItem(KEY, name); } catch { /* then for this page only */ }
    show(name);
  };

  const asked = new URLSearchParams(location.search).get(KEY);
  if (asked && known(asked)) window.pickMachine(asked);
  else show([stored(), window.machines[0], ALL].find(name => name && known(name)));
})();
