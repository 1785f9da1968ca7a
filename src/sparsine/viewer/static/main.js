// The page: the gallery or one code, as the address says; keys for both.

import { Gallery } from "./gallery.js";
import { readHash } from "./route.js";
import { askFor } from "./server.js";
import { Stage } from "./stage.js";
import { nextTheme, startThemes } from "./theme.js";

const $ = (id) => document.getElementById(id);

startThemes();
try {
  start(await askFor("/api/folder"));
} catch (error) {
  $("empty").hidden = false;
  $("empty").textContent = error.message;
}

function start(folder) {
  const gallery = new Gallery(folder);
  let last = { name: null, place: -1 }; // beyond what the gallery has seen, one leads to the next
  const stage = new Stage(folder, async (name, step) => {
    const seen = gallery.placeOf(name);
    const place = (seen < 0 && last.name === name ? last.place : seen) + step;
    const found = seen < 0 && last.name !== name ? null : await gallery.at(place).catch(() => null);
    if (found) last = { name: found.code.name, place };
    return found && { ...found, place };
  });
  const title = `${folder.folder} · sparsine`;

  const follow = () => {
    const route = readHash();
    $("gallery").hidden = Boolean(route.name);
    if (route.name) {
      stage.open(route);
      stage.focus();
    } else {
      stage.close();
      document.title = title;
      gallery.arrange();
    }
  };
  addEventListener("hashchange", follow);
  follow();

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search], select");
    const sliding = event.target.matches("input[type=range]") && event.key.startsWith("Arrow");
    if (event.key === "Escape" && !$("stage").hidden) location.hash = "";
    else if (typing || sliding) return;
    else if (event.key === "t") nextTheme();
    else if (event.key === "/" && $("stage").hidden) $("search").focus();
    else if ($("stage").hidden || !stage.key(event.key)) return;
    event.preventDefault();
  });
}
