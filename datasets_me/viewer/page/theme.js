import { $ } from "./dom.js";

function wear(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("theme", name);
}

/** Dark or light: what was chosen last, else what the system says. Returns what changes it; `redraw` is called after. */
export function theme(redraw = () => {}) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const other = () => {
    const now = document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
    wear(now === "dark" ? "light" : "dark");
    redraw();
  };
  if (localStorage.getItem("theme")) wear(localStorage.getItem("theme"));
  system.addEventListener("change", () => redraw());
  $("theme").onclick = other;
  return other;
}
