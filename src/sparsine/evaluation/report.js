"use strict";
const figures = JSON.parse(document.getElementById("figures").textContent);
const narrow = matchMedia("(max-width: 640px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const touch = matchMedia("(pointer: coarse)").matches;

function axis(given, colour) {
  return {
    gridcolor: colour("--grid"), linecolor: colour("--rule"), automargin: true, tickangle: 0, ticks: "outside", tickcolor: colour("--rule"),
    ...given, title: { ...given.title, standoff: 12, font: { size: 13 } },
  };
}

function layout(given) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const above = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
  const below = { orientation: "h", x: 0, y: -0.22, yanchor: "top" };
  const isBeside = !narrow.matches && given.legend === "beside";
  const beside = { x: 1.01, y: 0.95, xanchor: "left" }; // under the tool bar
  return {
    ...given,
    autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: narrow.matches ? 11 : 13, color: colour("--ink") },
    margin: { l: 32, r: 28, t: 32, b: 44 },
    xaxis: axis(given.xaxis, colour), yaxis: axis(given.yaxis, colour),
    legend: isBeside ? beside : narrow.matches ? below : above,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--rule"), activecolor: colour("--quiet"), orientation: isBeside ? "h" : "v" },
    hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--rule"), font: { color: colour("--ink") }, align: "left" },
    // a finger that wants to scroll the page must not zoom the figure
    dragmode: touch ? false : "zoom",
  };
}

function draw() {
  for (const place of document.querySelectorAll("[data-figure]")) {
    const figure = figures[place.dataset.figure];
    Plotly.react(place, figure.data, layout(figure.layout), {
      displaylogo: false, displayModeBar: touch ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });
  }
}

draw();
// also when a phone is turned, or the page is laid out later than its scripts
const watcher = new ResizeObserver((entries) => entries.forEach((entry) => Plotly.Plots.resize(entry.target)));
document.querySelectorAll("[data-figure]").forEach((place) => watcher.observe(place));
for (const query of [narrow, dark]) query.addEventListener("change", draw);
