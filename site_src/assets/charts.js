/* Makes the charts of a page live. Without this file, or when anything in it fails, the SVG drawn at build time stays.

   A chart: <figure class="chart" data-spec="{Vega-Lite}"> <div class="chart-box" role="img" aria-label="…"> SVG </div> …
   The spec is an attribute because Material's instant navigation runs every <script> it finds in a page's content.
   Afterwards the figure says data-drawn="live" or data-drawn="failed". */
(() => {
  "use strict";

  // Kept now: relative to this file, so it is right under any base path and after instant navigation.
  const BUNDLE = new URL("vendor/vega.bundle.min.js", document.currentScript.src).href;

  // ast: Vega interprets its expressions, since the page's Content-Security-Policy forbids eval.
  const OPTIONS = { renderer: "svg", ast: true, actions: false, defaultStyle: false,
                    tooltip: { disableDefaultStyle: true } };

  let bundle;                // a promise: Vega is fetched once, by the first chart that comes into view
  let drawn = [];            // [figure, result of vegaEmbed]

  const loadVega = () => bundle ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = BUNDLE;
    script.onload = () => resolve(window.vegaEmbed);
    script.onerror = () => { bundle = undefined; script.remove(); reject(new Error(`could not load ${BUNDLE}`)); };
    document.head.append(script);
  });

  async function draw(figure) {
    const box = figure.querySelector(".chart-box");
    // Drawn beside the static SVG and swapped at the end: no flicker, and nothing lost on failure.
    // The role and label stay on the box, where they were.
    const live = document.createElement("div");
    live.className = "chart-live chart-pending";
    try {
      const spec = JSON.parse(figure.dataset.spec);
      const vegaEmbed = await loadVega();
      box.append(live);
      const result = await vegaEmbed(live, spec, OPTIONS);
      // Under another page's charts by now? Then nobody will look at this one.
      if (!figure.isConnected) return result.finalize();
      drawn.push([figure, result]);
      box.replaceChildren(live);
      live.classList.remove("chart-pending");
      figure.dataset.drawn = "live";
    } catch (error) {
      live.remove();
      figure.dataset.drawn = "failed";
      console.error(`chart ${figure.id || "without id"}:`, error);
    }
  }

  const watcher = new IntersectionObserver(entries => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      draw(target);
    }
  }, { rootMargin: "300px 0px" });

  function start() {
    // Instant navigation has replaced the page: let go of the charts that went with it, and of an open tooltip.
    drawn = drawn.filter(([figure, result]) => figure.isConnected || void result.finalize());
    document.getElementById("vg-tooltip-element")?.classList.remove("visible");
    for (const figure of document.querySelectorAll("figure.chart[data-spec]:not([data-drawn])")) {
      figure.dataset.drawn = "waiting";
      watcher.observe(figure);
    }
  }

  start();
  window.document$?.subscribe(start);    // Material's page changes; never emits on file://, hence the line above
})();
