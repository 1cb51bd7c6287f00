/* Finds the leaf of the decision tree for a choice of memory, context and priority. Without this file the tree is there.

   <div class="chooser" hidden data-tree="ID"> <select name="budget"> <option data-kind="from" data-low="128" …>
   <div id="ID"> nested <details data-link="budget" data-kind="from" data-low="128" …> … <div class="leaf">
   Every answer says what it holds for; an end that is missing is open. A choice is the address's #budget=128&… */
(() => {
  "use strict";

  // from: low ≤ value < high. upto: low < value ≤ high.
  function holds(answer, value) {
    const { kind, low = -Infinity, high = Infinity } = answer.dataset;
    if (kind === "choice") return value === answer.dataset.value;
    const number = value === "" ? NaN : Number(value);
    return kind === "from" ? low <= number && number < high : low < number && number <= high;
  }

  function leafFor(tree, choice) {
    const fits = leaf => {
      for (let branch = leaf.closest("details[data-link]"); branch; branch = branch.parentElement.closest("details[data-link]")) {
        if (!holds(branch, choice[branch.dataset.link])) return false;
      }
      return true;
    };
    return [...tree.querySelectorAll(".leaf")].find(fits);
  }

  const lists = chooser => [...chooser.querySelectorAll("select")];

  function show(chooser) {
    const choice = Object.fromEntries(lists(chooser).map(select => [select.name, select.value]));
    const leaf = leafFor(document.getElementById(chooser.dataset.tree), choice);
    chooser.querySelector(".chosen").replaceChildren(...leaf ? [leaf.cloneNode(true)] : []);
  }

  function follow(chooser) {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const select of lists(chooser)) {
      const option = [...select.options].find(option => asked.has(select.name) && holds(option, asked.get(select.name)));
      if (option) option.selected = true;
    }
    show(chooser);
  }

  function choose(chooser) {
    show(chooser);
    const choice = new URLSearchParams(lists(chooser).map(select => [select.name, select.value]));
    history.replaceState(history.state, "", `#${choice}`);
    all().filter(other => other !== chooser).forEach(follow);    // of other machines
  }

  const all = () => [...document.querySelectorAll(".chooser")];

  function start() {
    for (const chooser of all()) {
      if (!chooser.hidden) continue;
      chooser.hidden = false;
      chooser.addEventListener("change", () => choose(chooser));
      follow(chooser);
    }
  }

  window.addEventListener("hashchange", () => all().forEach(follow));
  start();
  window.document$?.subscribe(start);    // Material's page changes; never emits on file://, hence the line above
})();
