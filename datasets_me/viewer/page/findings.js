import { $, chip, el, meaning, moreFilters, number, options, plural, toastSaved } from "./dom.js";
import { save } from "./net.js";
import { ofPage } from "./keys.js";
import { PagedList, table } from "./list.js";
import { changed, state } from "./main.js";

const list = new PagedList("findings", { state: "open", severity: "doubts", code: "", search: "" }, draw);
const explaining = new Set(); // numbers of the findings whose meaning is shown

export async function open(content, _, given) {
  if (given.has("code")) list.query.code = given.get("code");
  list.show(content, "Findings", filters(), el("div", { id: "bulk" }));
  keys();
  await list.load();
  return { update: () => list.load(), get revision() { return list.revision; } };
}

function choice(text, name, entries) {
  const select = el("select");
  options(select, entries, list.query[name]);
  return list.field(text, name, select);
}

function filters() {
  const codes = state.codes.map((each) => [each.code, `${each.code} ${each.name} (${number(each.open)} left of ${number(each.count)})`]);
  return [
    list.field("Search (/)", "search", el("input", { type: "search", placeholder: "message, video, cell", value: list.query.search })),
    choice("Finding", "code", [["", "all"], ...codes]),
    choice("Left", "state", [["open", "undecided"], ["decided", "decided"], ["all", "all"]]),
    choice("Weight", "severity", [["doubts", "errors and warnings"], ["", "remarks, too"]]),
    moreFilters(),
  ];
}

function draw() {
  $("bulk").replaceChildren(...bulk());
  return list.rows.length
    ? table("findings", {}, ["Code", "Finding", "Video", "Where", "Decision"], list.rows.map(line))
    : el("p", { class: "empty" }, list.total === 0 && list.query.state === "open" ? "nothing is left here" : "no finding fits these filters");
}

function line(each, index) {
  const [video] = each.videos;
  const said = each.decision && { accept: "accepted", exclude: "excluded", correct: "corrected", relocate: "moved" }[each.decision.action];
  return el("tr", { onclick: (event) => { if (!event.target.closest("a, button, details")) go(index); } },
    el("td", {}, chip(each.code, each.decision ? "settled" : each.severity, each.severity)),
    el("td", {}, el("div", {}, each.message), explained(each)),
    el("td", {}, video ? el("a", { class: "name", href: `#/video/${video.number}` }, video.name) : el("span", { class: "soft" }, "the dataset")),
    el("td", { class: "soft small" }, each.where),
    el("td", {}, each.decision ? chip(said, "good settled") : "", each.decision && !state.read_only
      ? el("button", { type: "button", class: "quiet", onclick: () => undo([each.decision.id]) }, "undo")
      : ""));
}

/** The name of a finding, and on demand what it means: one about the dataset has no page of a video that would say it. */
function explained(each) {
  return el("details", { open: explaining.has(each.number), ontoggle: (event) => explaining[event.target.open ? "add" : "delete"](each.number) },
    el("summary", { class: "soft small" }, each.name.replaceAll("-", " "), each.caused ? ", caused by a correction" : ""),
    meaning(each));
}

/** Decide all that the filters leave: first the number, then the decision. */
function bulk() {
  if (state.read_only || list.query.state !== "open" || !list.total) return [];
  return [el("div", { class: "card" }, el("div", { class: "row" },
    el("span", {}, `All ${plural(list.total, "finding")} that fit:`),
    el("button", { type: "button", onclick: () => ask("accept") }, "accept all…"),
    el("button", { type: "button", onclick: () => ask("exclude") }, "exclude their rows…")))];
}

async function ask(action) {
  const asks = { ...list.query };
  const count = await save("decide-all", { query: asks, action: "count" });
  if (!count) return;
  const targets = [[count.rows, "row"], [count.videos, "whole video"]].filter(([many]) => many).map(([many, noun]) => plural(many, noun)).join(" and ");
  const about = action === "exclude" ? `${targets ? ` in ${targets}` : ""}${count.neither ? `; ${number(count.neither)} of them name neither and stay open` : ""}` : "";
  const note = el("input", { type: "text", placeholder: "why, if you want to say", "aria-label": "note", maxlength: 500 });
  const dialog = el("dialog", { "aria-label": "decide all" },
    el("h2", {}, action === "accept" ? "Accept all?" : "Exclude all?"),
    el("p", { class: "message" }, `${plural(count.findings, "finding")}${about}. It can be taken back in one step.`), note,
    el("div", { class: "choices bar" },
      el("button", { type: "button", class: "main", disabled: action === "exclude" && !targets, onclick: () => { dialog.close(); apply(asks, action, note.value.trim() || null, count.findings); } }, action === "accept" ? `accept ${number(count.findings)}` : `exclude ${number(count.rows + count.videos)}`),
      el("button", { type: "button", onclick: () => dialog.close() }, "cancel")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

async function apply(asks, action, note, expected) {
  const result = await save("decide-all", { query: asks, action, note, expected });
  if (!result) return;
  const ids = result.decisions.map((decision) => decision.id);
  toastSaved(plural(ids.length, "decision"), result.causes, { text: "undo", run: () => undo(ids) });
  await changed();
}

async function undo(ids) {
  if (await save("undo", { ids })) await changed();
}

function go(index) {
  const video = list.rows[index]?.videos[0];
  const details = list.place.querySelectorAll("details")[index];
  if (video) location.hash = `#/video/${video.number}?finding=${list.rows[index].number}`;
  else if (details) details.open = !details.open;
}

async function accept() {
  const each = list.rows[list.chosen];
  if (!each || each.decision || each.saving || state.read_only) return;
  each.saving = true;
  const result = await save("decide", { decisions: [{ action: "accept", finding: each.number }] });
  each.saving = false;
  if (!result) return;
  toastSaved(`${each.code} accepted`, result.causes, { text: "undo", run: () => undo(result.decisions.map((decision) => decision.id)) });
  await changed();
}

function keys() {
  ofPage([
    "Findings",
    ...list.keys("finding"),
    { keys: ["Enter"], text: "open its video; what it means, where there is none", run: () => go(list.chosen) },
    { keys: ["a"], text: "accept it as it is", run: accept },
    { keys: ["Escape"], text: "leave a field, or to the videos", run: () => {
      if (document.activeElement?.closest?.("input, select")) document.activeElement.blur();
      else location.hash = "#/videos";
    } },
  ]);
}
