import { $, chip, el, moreFilters, number, options, plural } from "./dom.js";
import { ofPage } from "./keys.js";
import { PagedList, table } from "./list.js";
import { state } from "./main.js";

const NAMES = ["search", "state", "code", "subject", "type", "emotion", "quality", "sort"];

const list = new PagedList("videos", { state: "", sort: "eyes" }, draw);

export async function open(content, _, given) {
  for (const name of NAMES) if (given.has(name)) list.query[name] = given.get(name);
  list.show(content, "Videos", filters());
  fill();
  keys();
  await list.load();
  return { update: () => list.load(), get revision() { return list.revision; } };
}

function filters() {
  return [
    list.field("Search (/)", "search", el("input", { type: "search", placeholder: "name, emotion, code" })),
    ...[["Left", "state"], ["Finding", "code"], ["Subject", "subject"], ["Type", "type"], ["Emotion", "emotion"],
      ["Quality", "quality"], ["Order", "sort"]].map(([text, name]) => list.field(text, name, el("select"))),
    moreFilters(),
  ];
}

function fill() {
  const all = ["", "all"];
  const set = (name, entries) => options($(`filter-${name}`), entries, list.query[name] ?? "");
  set("state", [all, ["open", "undecided"], ["decided", "decided"], ["excluded", "excluded"], ["clear", "nothing found"]]);
  set("code", [all, ...state.codes.map((each) => [each.code, `${each.code} ${each.name} (${each.open ? `${number(each.open)} left of ` : ""}${number(each.count)})`])]);
  set("subject", [all, ...state.subjects.map((name) => [name, name])]);
  set("type", [all, ["micro", "micro"], ["macro", "macro"]]);
  set("emotion", [all, ...state.emotions.map((name) => [name, name])]);
  set("quality", [all, ...state.qualities.map((name) => [name, name])]);
  set("sort", [["eyes", "doubts first"], ["name", "name"]]);
  $("filter-search").value = list.query.search ?? "";
}

function draw() {
  fill();
  const head = ["Frames", "Video", "Expressions", "Length", "Findings", "Quality", "Left"];
  return list.rows.length
    ? table("videos", { class: "videos" }, head, list.rows.map(line))
    : el("p", { class: "empty" }, "no video fits these filters");
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
    el("td", { class: "number" }, row.frames ? [`${number(row.frames)} `, el("span", { class: "soft small" }, `at ${number(row.fps)}/s`)] : ""),
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

function go(index) {
  if (list.rows[index]) location.hash = `#/video/${list.rows[index].number}`;
}

function keys() {
  ofPage([
    "Videos",
    ...list.keys("video"),
    { keys: ["Enter"], text: "open the video", run: () => go(list.chosen) },
    { keys: ["u"], text: "undecided only, or all", run: () => { list.query.state = list.query.state ? "" : "open"; list.restart(); } },
    { keys: ["Escape"], text: "leave a field", run: () => document.activeElement?.blur() },
  ]);
}
