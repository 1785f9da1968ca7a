"use strict";
// what a page holds stays on this machine; a policy in the page itself cannot forbid windows
Object.defineProperty(window, "open", { value: () => null });
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
  const below = { orientation: "h", x: 0.03, xref: "container", y: 0.02, yref: "container", yanchor: "bottom" };
  const isBeside = !narrow.matches && given.legend === "beside";
  const beside = { x: 1.01, y: 0.95, xanchor: "left" }; // under the tool bar
  return {
    ...given,
    autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: narrow.matches ? 11 : 13, color: colour("--ink") },
    margin: { l: 32, r: 28, t: 32, b: 44 },
    xaxis: axis(given.xaxis, colour), yaxis: axis(given.yaxis, colour),
    legend: isBeside ? beside : narrow.matches ? below : above,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--quiet"), activecolor: colour("--ink"), orientation: isBeside ? "h" : "v" },
    hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--rule"), font: { color: colour("--ink") }, align: "left" },
    // a finger that wants to scroll the page must not zoom the figure
    dragmode: touch ? false : "zoom",
  };
}

// a closed list: what else plotly offers, and may offer one day, uploads among it, has no place here
const TOOLS = [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]];
const ALONE = { showSendToCloud: false, showEditInChartStudio: false, showLink: false, sendData: false, plotlyServerURL: "" };

const GAP = 6; // pixels between two labels of an axis

/** Labels that would touch others are hidden, those of the ends last; ticks and grid stay. */
function separate(place) {
  const [first, ...others] = place.querySelectorAll(".xtick text");
  const kept = [];
  for (const label of first ? [first, ...others.splice(-1), ...others] : []) {
    const box = label.getBoundingClientRect();
    const isFree = kept.every((other) => box.right + GAP <= other.left || other.right + GAP <= box.left);
    label.style.visibility = isFree ? "" : "hidden";
    if (isFree) kept.push(box);
  }
}

/** A name as lines that a legend has room for; a letter may be an entity such as &lt;. */
function folded(name) {
  const room = narrow.matches ? 32 : 44;
  const words = name.split(" ").flatMap((word) => word.match(new RegExp(`(?:&[^;]+;|.){1,${room}}`, "gu")) ?? []);
  const lines = [""];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= room || lines.at(-1) === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("<br>");
}

/** Every chart is made here. */
async function chart(place, figure) {
  const isNew = !place.on;
  const data = figure.data.map((trace) => (trace.name ? { ...trace, name: folded(trace.name) } : trace));
  await Plotly.react(place, data, layout(figure.layout), {
    ...ALONE, displaylogo: false, displayModeBar: touch ? false : "hover", modeBarButtons: TOOLS,
  });
  if (isNew) place.on("plotly_afterplot", () => separate(place));
  separate(place);
}

function draw() {
  for (const place of document.querySelectorAll("[data-figure]")) chart(place, figures[place.dataset.figure]);
}

/** A button of a page that has its script. */
function button(words, label, press) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: words, ariaLabel: label });
  made.addEventListener("click", () => press(made));
  return made;
}

/** Copy the words of a place; where the browser does not allow it they are selected, for Ctrl-C. */
async function copy(place) {
  try {
    await navigator.clipboard.writeText(place.textContent);
    return "copied";
  } catch {
    getSelection().selectAllChildren(place);
    return "selected";
  }
}

/** Rows of words; a cell over several rows or columns stands in each, and a head of several rows is one. */
function rowsOf(table) {
  const grid = [...table.rows].map(() => []);
  for (const [y, row] of [...table.rows].entries()) {
    for (const cell of row.cells) {
      const x = grid[y].findIndex((word) => word === undefined);
      const left = x < 0 ? grid[y].length : x;
      for (let down = 0; down < cell.rowSpan; down++) for (let right = 0; right < cell.colSpan; right++) grid[y + down][left + right] = cell.innerText.trim();
    }
    grid[y] = Array.from(grid[y]);
  }
  const heads = grid.splice(0, table.tHead.rows.length);
  return [heads[0].map((_, x) => [...new Set(heads.map((head) => head[x]))].join(" ")), ...grid];
}

/** A number as programs read it; other words so that no program takes them for a formula. */
function csvCell(words) {
  const text = words.replace(/\s+/gu, " ");
  const number = text.replace(/(?<=\d),(?=\d{3})/gu, "").replace(/^−/u, "-");
  if (/^[+-]?\d+(\.\d+)?$/u.test(number)) return number;
  const safe = /^[=+\-@]/u.test(text) ? `'${text}` : text;
  return /[",]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvOf = (table) => rowsOf(table).map((row) => `${row.map(csvCell).join(",")}\n`).join("");

function save(text, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const place of document.querySelectorAll("figure.command")) {
  const line = place.querySelector("code");
  place.append(button("Copy", `Copy: ${line.textContent}`, async (pressed) => {
    pressed.textContent = { copied: "Copied", selected: "Selected" }[await copy(line)];
    setTimeout(() => (pressed.textContent = "Copy"), 2000);
  }));
}
for (const region of document.querySelectorAll(".scroll:has(> table)")) {
  const title = region.ariaLabel;
  region.after(button("Save as CSV", `Save as CSV: ${title}`, () => save(csvOf(region.firstElementChild), `${title.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80)}.csv`)));
}

draw();
// also when a phone is turned, or the page is laid out later than its scripts
const watcher = new ResizeObserver((entries) => entries.forEach((entry) => Plotly.Plots.resize(entry.target)));
document.querySelectorAll("[data-figure]").forEach((place) => watcher.observe(place));
for (const query of [narrow, dark]) query.addEventListener("change", draw);
