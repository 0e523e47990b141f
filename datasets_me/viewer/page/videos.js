import { $, chip, el, moreFilters, number, options, plural } from "./dom.js";
import { getJson } from "./net.js";
import { ofPage } from "./keys.js";
import { state } from "./main.js";

const AT_ONCE = 50;
const NAMES = ["search", "state", "code", "subject", "type", "emotion", "quality", "sort"];

let query = { state: "", sort: "eyes" };
let start = 0;
let chosen = 0;
let rows = [];
let total = 0;
let asked = 0;

export async function open(content, _, given) {
  for (const name of NAMES) if (given.has(name)) query[name] = given.get(name);
  const list = el("div", { class: "list" }, el("h1", { class: "skip" }, "Videos"), filters(), el("div", { id: "rows" }));
  content.replaceChildren(list);
  fill();
  keys();
  await load();
  return { update: load };
}

function field(text, name, control, wide = false) {
  control.id = `filter-${name}`;
  control.addEventListener(control.type === "search" ? "input" : "change", () => {
    query[name] = control.value;
    start = 0;
    chosen = 0;
    load();
  });
  return el("label", { class: wide ? "wide" : "" }, text, control);
}

function filters() {
  return el("div", { class: "filters", role: "search" },
    field("Search (/)", "search", el("input", { type: "search", placeholder: "name, emotion, code" }), true),
    ...[["Left", "state"], ["Finding", "code"], ["Subject", "subject"], ["Type", "type"], ["Emotion", "emotion"],
      ["Quality", "quality"], ["Order", "sort"]].map(([text, name]) => field(text, name, el("select"))),
    moreFilters(),
    el("span", { class: "space" }),
    el("div", { class: "pager" },
      el("button", { id: "back", type: "button", "aria-label": "page before (PageUp)", title: "page before (PageUp)", onclick: () => turn(-1) }, "‹"),
      el("span", { id: "place", class: "number", role: "status" }),
      el("button", { id: "next", type: "button", "aria-label": "next page (PageDown)", title: "next page (PageDown)", onclick: () => turn(1) }, "›")));
}

function fill() {
  const all = ["", "all"];
  const set = (name, entries) => options($(`filter-${name}`), entries, query[name] ?? "");
  set("state", [all, ["open", "undecided"], ["decided", "decided"], ["excluded", "excluded"], ["clear", "nothing found"]]);
  set("code", [all, ...state.codes.map((each) => [each.code, `${each.code} ${each.name} (${each.open ? `${number(each.open)} left of ` : ""}${number(each.count)})`])]);
  set("subject", [all, ...state.subjects.map((name) => [name, name])]);
  set("type", [all, ["micro", "micro"], ["macro", "macro"]]);
  set("emotion", [all, ...state.emotions.map((name) => [name, name])]);
  set("quality", [all, ...state.qualities.map((name) => [name, name])]);
  set("sort", [["eyes", "needs eyes most"], ["name", "name"]]);
  $("filter-search").value = query.search ?? "";
}

async function load() {
  const mine = ++asked;
  const result = await getJson("videos", { ...query, start, count: AT_ONCE });
  if (mine !== asked || !$("rows")) return;
  ({ rows, total } = result);
  if (start && start >= total) {
    start = Math.max(0, Math.floor((total - 1) / AT_ONCE) * AT_ONCE);
    await load();
    return;
  }
  fill();
  draw();
}

function draw() {
  const head = ["Frames", "Video", "Expressions", "Length", "Findings", "Quality", "Left"];
  const body = rows.map((row, index) => line(row, index));
  $("rows").replaceChildren(rows.length
    ? el("table", { class: "videos", "aria-label": "videos" },
      el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, body))
    : el("p", { class: "empty" }, "no video fits these filters"));
  $("place").textContent = total ? `${number(start + 1)}–${number(start + rows.length)} of ${number(total)}` : "0";
  $("back").disabled = start === 0;
  $("next").disabled = start + rows.length >= total;
  choose(Math.min(chosen, rows.length - 1), false);
}

function line(row, index) {
  const strip = row.frames
    ? el("img", { class: "strip", src: `videos/${row.number}/strip`, alt: "", loading: "lazy", onerror: lost })
    : el("div", { class: "nostrip" }, "no frames");
  const emotions = Object.entries(row.emotions).map(([name, count]) => (count > 1 ? `${name} ${count}` : name)).join(", ");
  const left = { open: plural(row.open, "doubt"), decided: "decided", clear: "no doubt", excluded: "excluded" }[row.state];
  const node = el("tr", { onclick: (event) => { if (!event.target.closest("a")) go(index); } },
    el("td", {}, strip),
    el("td", {}, el("a", { class: "name", href: `#/video/${row.number}` }, row.name), el("div", { class: "soft small" }, row.subject ?? "no subject")),
    el("td", {}, el("div", { class: "chips" }, row.micro ? chip(`${row.micro} micro`, "micro") : "", row.macro ? chip(`${row.macro} macro`, "macro") : ""),
      el("div", { class: "soft small" }, emotions)),
    el("td", { class: "number" }, row.frames ? [`${number(row.frames)} `, el("span", { class: "soft small" }, `at ${row.fps}/s`)] : ""),
    el("td", {}, el("div", { class: "chips" }, row.codes.slice(0, 6).map(codeChip), row.codes.length > 6 ? chip(`+${row.codes.length - 6}`) : "")),
    el("td", { class: "number" }, quality(row)),
    el("td", {}, chip(left, { open: "warning", decided: "good settled", excluded: "settled" }[row.state] ?? "")));
  return node;
}

export function codeChip(each) {
  const name = state.codes.find((one) => one.code === each.code)?.name ?? "";
  const settled = each.open === 0 && each.severity !== "info";
  return chip(each.count > 1 ? `${each.code} × ${each.count}` : each.code, settled ? "settled" : each.severity, `${name} (${each.severity})${settled ? ", decided" : ""}`);
}

function lost(event) {
  event.target.replaceWith(el("div", { class: "nostrip" }, "cannot be shown"));
}

function quality(row) {
  if (row.good === null) return "";
  const bar = el("i");
  bar.style.width = `${row.good * 100}%`;
  return [el("span", { class: `meter ${row.good < 0.95 ? "poor" : ""}`, "aria-hidden": "true" }, bar),
    row.doubtful ? `${plural(row.doubtful, "frame")} in doubt` : "good"];
}

function choose(index, scroll = true) {
  chosen = Math.max(0, index);
  const lines = $("rows").querySelectorAll("tbody tr");
  lines.forEach((each, place) => each.classList.toggle("chosen", place === chosen));
  if (scroll) lines[chosen]?.scrollIntoView({ block: "nearest" });
}

function go(index) {
  if (rows[index]) location.hash = `#/video/${rows[index].number}`;
}

async function turn(pages) {
  const wanted = start + pages * AT_ONCE;
  if (wanted < 0 || wanted >= total) return;
  start = wanted;
  chosen = 0;
  await load();
  $("content").scrollTop = 0;
}

function keys() {
  ofPage([
    "Videos",
    { keys: ["ArrowDown", "j"], text: "next video", run: () => choose(Math.min(chosen + 1, rows.length - 1)) },
    { keys: ["ArrowUp", "k"], text: "video before", run: () => choose(chosen - 1) },
    { keys: ["Enter"], text: "open the video", run: () => go(chosen) },
    { keys: ["PageDown"], text: "next page", run: () => turn(1) },
    { keys: ["PageUp"], text: "page before", run: () => turn(-1) },
    { keys: ["/"], text: "search; Esc leaves the field", run: () => $("filter-search").focus() },
    { keys: ["u"], text: "undecided only, or all", run: () => { query.state = query.state ? "" : "open"; start = 0; load(); } },
    { keys: ["Escape"], text: "leave a field", run: () => document.activeElement?.blur() },
  ]);
}
