import { $, el } from "./dom.js";

// What keys do, by page. A key is what the keyboard writes ("a", "?", "ArrowLeft"), with "Shift+" where that matters.
let here = [];
const everywhere = [];

export function always(...keys) {
  everywhere.push(...keys);
}

/** The keys of a page, in place of those of the page before. Each is {keys, text, run}; groups begin with a string. */
export function ofPage(keys) {
  here = keys;
}

function named(event) {
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key)) ? "Shift+" : "";
  return shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

function typing(event) {
  const node = event.target;
  if (event.key === "Escape") return false;
  return node instanceof HTMLElement && (node.isContentEditable || /^(TEXTAREA|SELECT)$/.test(node.tagName)
    || (node.tagName === "INPUT" && node.type !== "checkbox" && node.type !== "radio"));
}

/** Whether the key belongs to the control that has the focus: Enter and space press buttons and follow links. */
function ofControl(event) {
  return (event.key === "Enter" || event.key === " ") && event.target.closest?.("button, a, summary, input");
}

document.addEventListener("keydown", (event) => {
  // a dialog has its own keys: Escape closes it, and nothing is decided behind it
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (typing(event) || ofControl(event)) return;
  const name = named(event);
  const entry = [...here, ...everywhere].find((each) => each.keys?.includes(name));
  if (!entry) return;
  event.preventDefault();
  entry.run(event);
});

const SHOWN = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "Shift+": "Shift " };

function shown(key) {
  return key.replace("Shift+", "Shift ").replace(/Arrow\w+| $/g, (text) => SHOWN[text] ?? text);
}

export function showHelp() {
  const rows = [];
  for (const entry of [...here, "Everywhere", ...everywhere]) {
    if (typeof entry === "string") rows.push(el("dt", { class: "group" }, entry));
    else {
      rows.push(el("dt", {}, entry.keys.map((key) => el("kbd", {}, shown(key)))), el("dd", {}, entry.text));
    }
  }
  $("keys-list").replaceChildren(el("dl", {}, rows));
  $("keys").showModal();
}
