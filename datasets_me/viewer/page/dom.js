// Texts of a dataset (names, labels, messages) reach the page as text only, never as markup.

export const $ = (id) => document.getElementById(id);

/** An element; attributes named "on…" are listeners, "class" and "data-…" are what they say, null ones are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function options(select, entries, chosen = "") {
  select.replaceChildren(...entries.map(([value, text]) => el("option", { value }, text)));
  select.value = chosen;
}

/** On a narrow screen: what shows the filters beside the search. */
export function moreFilters() {
  const button = el("button", { type: "button", class: "more", "aria-expanded": "false", onclick: () => {
    button.setAttribute("aria-expanded", String(button.parentElement.classList.toggle("all")));
  } }, "filters");
  return button;
}

export const number = (value) => value.toLocaleString("en");

export function plural(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A short coloured label; a colour never stands alone, the text says the same. */
export function chip(text, kind = "", title = null) {
  return el("span", { class: `chip ${kind}`, title }, text);
}

/** What a finding says of itself: these fields of it first, then what all are explained by. */
export function meaning(finding, first = []) {
  const facts = [...first.map((name) => [name, name]), ["found", "found"], ["expected", "expected"], ["what", "what"], ["why", "why"], ["to do", "fix"]];
  return el("dl", {}, facts.filter(([, name]) => finding[name]).flatMap(([text, name]) => [el("dt", {}, text), el("dd", {}, finding[name])]));
}

let toastTimer;

export function toast(text, action = null) {
  const line = $("toast");
  line.replaceChildren(text, action ? el("button", { type: "button", onclick: action.run }, action.text) : "");
  line.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { line.hidden = true; }, 6000);
}

/** Say what was saved, and which findings it causes. */
export function toastSaved(text, causes, undo) {
  const codes = [...new Set(causes.map((each) => `${each.code} (${each.name.replaceAll("-", " ")})`))];
  toast(`saved: ${text}${codes.length ? `; it causes ${codes.join(", ")}` : ""}`, undo);
}

const failures = new Map(); // what failed, and how: only its own next success takes it away

export function fail(text, what) {
  failures.set(what, text);
  if (text) $("toast").hidden = true; // what was saved before is no comfort now
  const texts = [...new Set(failures.values())].filter(Boolean);
  const lines = texts.filter((text) => !texts.some((other) => other !== text && other.includes(text)));
  $("failure").textContent = lines.join(" · ");
  $("failure").hidden = !lines.length;
}
