/* Any two configurations of a machine beside each other. The texts come with the page (site_src/compare.py):

   <div class="compare" hidden data-pairs='{"words", "figures", "sides": {id: …}, "pairs": {"id id": …}}'>
   The two that are chosen stand in the address, #a=ID&b=ID, so that a link shows the same. */
(() => {
  "use strict";

  const make = (tag, text = "", attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  function asked() {
    const chosen = new URLSearchParams(location.hash.slice(1));
    return [chosen.get("a"), chosen.get("b")];
  }

  function build(box) {
    const { words, figures, sides, pairs } = JSON.parse(box.dataset.pairs);
    const selects = ["a", "b"].map(side => {
      const label = make("label", `${words[side]} `);
      const select = make("select");
      label.append(select);
      box.append(label);
      return select;
    });
    const card = make("div", "", { class: "compare-card", "aria-live": "polite" });
    box.append(card);

    const onShow = () => document.documentElement.dataset.shown ?? "*";
    const isShown = id => onShow() === "*" || sides[id].machine === onShow();
    const named = id => onShow() === "*" ? `${sides[id].name}, ${sides[id].machine}` : sides[id].name;

    function fill(select, ids, wanted) {
      select.replaceChildren(...ids.map(id => new Option(named(id), id)));
      if (ids.includes(wanted)) select.value = wanted;
    }

    function offer(first, second) {
      const ids = Object.keys(sides).filter(isShown);
      fill(selects[0], ids, first);
      const machine = sides[selects[0].value]?.machine;
      fill(selects[1], ids.filter(id => sides[id].machine === machine && id !== selects[0].value), second);
      box.hidden = ids.length < 2;
      show();
    }

    const head = (id, side) => {
      const cell = make("th", `${side}: `, { scope: "col" });
      const place = sides[id].page;
      cell.append(place ? make("a", sides[id].name, { href: place }) : sides[id].name);
      return cell;
    };

    function show() {
      const [first, second] = selects.map(select => select.value);
      // A pair is kept in one order; the ratio is of the one over the other in that order, whichever was chosen first.
      const [a, b] = pairs[`${first} ${second}`] ? [first, second] : [second, first];
      const pair = pairs[`${a} ${b}`];
      if (!pair) return card.replaceChildren();
      const table = make("table", "", { class: "compare-figures" });
      const top = table.createTHead().insertRow();
      top.append(make("td"), head(a, words.first), head(b, words.second), make("th", words.ratio, { scope: "col" }),
                 make("th", words.verdict, { scope: "col" }));
      const body = table.createTBody();
      figures.forEach((figure, number) => {
        const row = body.insertRow();
        row.append(make("th", figure, { scope: "row" }));
        for (const [text, small] of [sides[a].figures[number], sides[b].figures[number], ...pair.cells[number]]) {
          const cell = make("td", text);
          if (small) cell.append(" ", make("span", small, { class: "interval" }));
          row.append(cell);
        }
      });
      const scroller = make("div", "", { class: "compare-table", tabindex: "0" });
      scroller.append(table);
      card.replaceChildren(scroller, ...pair.notes.map(note => make("p", note, { class: "reason" })));
    }

    function fromAddress() {
      const [first, second] = asked();
      const machine = sides[first]?.machine ?? sides[second]?.machine;
      // The link's machine is shown, whatever was shown before.
      if (machine && onShow() !== "*" && machine !== onShow()) window.pickMachine?.(machine);
      offer(first ?? selects[0].value, second ?? selects[1].value);
    }

    selects.forEach(select => select.addEventListener("change", () => {
      offer(selects[0].value, selects[1].value);
      history.replaceState(history.state, "", `#a=${selects[0].value}&b=${selects[1].value}`);
    }));
    document.addEventListener("machine", () => box.isConnected && offer(selects[0].value, selects[1].value));
    window.addEventListener("hashchange", () => box.isConnected && fromAddress());
    fromAddress();
  }

  function start() {
    for (const box of document.querySelectorAll(".compare[data-pairs]:not([data-ready])")) {
      box.dataset.ready = "";
      build(box);
    }
  }

  start();
  window.document$?.subscribe(start);    // Material's page changes; never emits on file://, hence the line above
})();
