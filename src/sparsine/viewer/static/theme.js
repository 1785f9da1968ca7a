// Light, dark, or as the system has it; remembered by the browser.

const NAMES = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const SIGNS = { auto: "◐", light: "☀", dark: "☾" };
const system = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  try {
    const kept = localStorage.getItem("theme");
    return kept in NAMES ? kept : "auto";
  } catch {
    return "auto"; // storage may be forbidden
  }
}

function apply(theme) {
  document.documentElement.dataset.theme = theme === "auto" ? (system.matches ? "dark" : "light") : theme;
  for (const button of document.querySelectorAll("button.theme")) {
    Object.assign(button, { textContent: SIGNS[theme], title: `${NAMES[theme]} (T)` });
    button.setAttribute("aria-label", NAMES[theme]);
  }
}

export function nextTheme() {
  const names = Object.keys(NAMES);
  const theme = names[(names.indexOf(chosen()) + 1) % names.length];
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // it is then chosen for this moment only
  }
  apply(theme);
}

export function startThemes() {
  apply(chosen());
  system.addEventListener("change", () => apply(chosen()));
  for (const button of document.querySelectorAll("button.theme")) button.addEventListener("click", nextTheme);
}
