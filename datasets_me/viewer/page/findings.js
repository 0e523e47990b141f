import { $, chip, el, moreFilters, number, options, plural, toast } from "./dom.js";
import { getJson, save } from "./net.js";
import { ofPage } from "./keys.js";
import { changed, state } from "./main.js";

const AT_ONCE = 50;

let query = { state: "open", severity: "doubts", code: "", search: "" };
let start = 0;
let chosen = 0;
let total = 0;
let rows = [];
let asked = 0;

export async function open(content, _, given) {
  if (given.has("code")) query = { ...query, code: given.get("code") };
  content.replaceChildren(el("div", { class: "list" }, el("h1", { class: "skip" }, "Findings"), filters(), el("div", { id: "bulk" }), el("div", { id: "rows" })));
  keys();
  await load();
  return { update: load };
}

function field(text, name, control, entries) {
  control.id = `filter-${name}`;
  if (entries) options(control, entries, query[name]);
  control.addEventListener(entries ? "change" : "input", () => {
    query[name] = control.value;
    start = 0;
    chosen = 0;
    load();
  });
  return el("label", { class: entries ? "" : "wide" }, text, control);
}

function filters() {
  const codes = state.codes.map((each) => [each.code, `${each.code} ${each.name} (${number(each.open)} left of ${number(each.count)})`]);
  return el("div", { class: "filters", role: "search" },
    field("Search (/)", "search", el("input", { type: "search", placeholder: "message, video, cell", value: query.search })),
    field("Finding", "code", el("select"), [["", "all"], ...codes]),
    field("Left", "state", el("select"), [["open", "undecided"], ["decided", "decided"], ["all", "all"]]),
    field("Weight", "severity", el("select"), [["doubts", "errors and warnings"], ["", "remarks, too"]]),
    moreFilters(),
    el("span", { class: "space" }),
    el("div", { class: "pager" },
      el("button", { id: "back", type: "button", "aria-label": "page before (PageUp)", onclick: () => turn(-1) }, "‹"),
      el("span", { id: "place", class: "number", role: "status" }),
      el("button", { id: "next", type: "button", "aria-label": "next page (PageDown)", onclick: () => turn(1) }, "›")));
}

async function load() {
  const mine = ++asked;
  const result = await getJson("findings", { ...query, start, count: AT_ONCE });
  if (mine !== asked || !$("bulk")) return;
  ({ rows, total } = result);
  if (start && start >= total) {
    start = Math.max(0, Math.floor((total - 1) / AT_ONCE) * AT_ONCE);
    await load();
    return;
  }
  draw();
}

function draw() {
  $("rows").replaceChildren(rows.length
    ? el("table", { "aria-label": "findings" },
      el("thead", {}, el("tr", {}, ["Code", "Finding", "Video", "Where", "Decision"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, rows.map(line)))
    : el("p", { class: "empty" }, total === 0 && query.state === "open" ? "nothing is left here" : "no finding fits these filters"));
  $("place").textContent = total ? `${number(start + 1)}–${number(start + rows.length)} of ${number(total)}` : "0";
  $("back").disabled = start === 0;
  $("next").disabled = start + rows.length >= total;
  $("bulk").replaceChildren(...bulk());
  choose(Math.min(chosen, rows.length - 1), false);
}

function line(each, index) {
  const [video] = each.videos;
  const said = each.decision && { accept: "accepted", exclude: "excluded", correct: "corrected", relocate: "moved" }[each.decision.action];
  return el("tr", { onclick: (event) => { if (!event.target.closest("a, button")) go(index); } },
    el("td", {}, chip(each.code, each.decision ? "settled" : each.severity, each.severity)),
    el("td", {}, el("div", {}, each.message), el("div", { class: "soft small" }, each.name.replaceAll("-", " "))),
    el("td", {}, video ? el("a", { class: "name", href: `#/video/${video.number}` }, video.name) : el("span", { class: "soft" }, "the dataset")),
    el("td", { class: "soft small" }, each.where),
    el("td", {}, each.decision ? chip(said, "good settled") : "", each.decision && !state.read_only
      ? el("button", { type: "button", class: "quiet", onclick: () => undo([each.decision.id]) }, "undo")
      : ""));
}

/** Decide all that the filters leave: first the number, then the decision. */
function bulk() {
  if (state.read_only || query.state !== "open" || !total) return [];
  return [el("div", { class: "card" }, el("div", { class: "row" },
    el("span", {}, `All ${plural(total, "finding")} that fit:`),
    el("button", { type: "button", onclick: () => ask("accept") }, "accept all…"),
    el("button", { type: "button", onclick: () => ask("exclude") }, "exclude their rows…")))];
}

async function ask(action) {
  const asks = { ...query };
  const count = await save("decide-all", { query: asks, action: "count" });
  if (!count) return;
  const without = action === "exclude" ? `, which are ${plural(count.targets, "row")} and videos` : "";
  const note = el("input", { type: "text", placeholder: "why, if you want to say", "aria-label": "note", maxlength: 500 });
  const dialog = el("dialog", { "aria-label": "decide all" },
    el("h2", {}, action === "accept" ? "Accept all?" : "Exclude all?"),
    el("p", { class: "message" }, `${plural(count.findings, "finding")}${without}. It can be taken back in one step.`), note,
    el("div", { class: "choices bar" },
      el("button", { type: "button", class: "main", onclick: () => { dialog.close(); apply(asks, action, note.value.trim() || null, count.findings); } }, action === "accept" ? `accept ${number(count.findings)}` : `exclude ${number(count.targets)}`),
      el("button", { type: "button", onclick: () => dialog.close() }, "cancel")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

async function apply(asks, action, note, expected) {
  const result = await save("decide-all", { query: asks, action, note, expected });
  if (!result) return;
  const ids = result.decisions.map((decision) => decision.id);
  toast(`saved: ${plural(ids.length, "decision")}`, { text: "undo", run: () => undo(ids) });
  await changed();
}

async function undo(ids) {
  if (await save("undo", { ids })) await changed();
}

function choose(index, scroll = true) {
  chosen = Math.max(0, index);
  const lines = $("rows").querySelectorAll("tbody tr");
  lines.forEach((each, place) => each.classList.toggle("chosen", place === chosen));
  if (scroll) lines[chosen]?.scrollIntoView({ block: "nearest" });
}

function go(index) {
  const video = rows[index]?.videos[0];
  if (video) location.hash = `#/video/${video.number}?finding=${rows[index].number}`;
}

async function accept() {
  const each = rows[chosen];
  if (!each || each.decision || state.read_only) return;
  const result = await save("decide", { decisions: [{ action: "accept", finding: each.number }] });
  if (!result) return;
  toast(`saved: ${each.code} accepted`, { text: "undo", run: () => undo(result.decisions.map((decision) => decision.id)) });
  await changed();
}

async function turn(pages) {
  const wanted = start + pages * AT_ONCE;
  if (wanted < 0 || wanted >= total) return;
  start = wanted;
  chosen = 0;
  await load();
}

function keys() {
  ofPage([
    "Findings",
    { keys: ["ArrowDown", "j"], text: "next finding", run: () => choose(Math.min(chosen + 1, rows.length - 1)) },
    { keys: ["ArrowUp", "k"], text: "finding before", run: () => choose(chosen - 1) },
    { keys: ["Enter"], text: "open its video", run: () => go(chosen) },
    { keys: ["a"], text: "accept it as it is", run: accept },
    { keys: ["PageDown"], text: "next page", run: () => turn(1) },
    { keys: ["PageUp"], text: "page before", run: () => turn(-1) },
    { keys: ["/"], text: "search; Esc leaves the field", run: () => $("filter-search").focus() },
    { keys: ["Escape"], text: "leave a field, or to the videos", run: () => {
      if (document.activeElement?.closest?.("input, select")) document.activeElement.blur();
      else location.hash = "#/videos";
    } },
  ]);
}
