import { $, chip, el, fail, number, plural, toast } from "./dom.js";
import { getJson, post, save } from "./net.js";
import { always, ofPage, showHelp } from "./keys.js";
import { theme } from "./theme.js";

const AT_ONCE = 60;
const EVERY = 1000; // ms between looks for what others decided

let overview = null;
let items = [];
let chosen = 0;
let start = 0;
let total = 0;
let revision = null;
let latest = 0; // the newest wish to see something
let saving = 0; // decisions on their way
const decided = []; // numbers of images, the last one last

function progress(counts) {
  const parts = Object.entries(counts.decisions).map(([name, count]) => `${name} ${number(count)}`);
  $("progress").textContent = `${number(counts.decided)} of ${number(counts.images)} decided${parts.length ? `: ${parts.join(", ")}` : ""}`;
}

function card(item, index) {
  const image = el("img", { loading: "lazy", alt: item.id, src: `image/${item.number}`,
    onerror: (event) => event.target.replaceWith(el("p", { class: "soft" }, "cannot be shown")) });
  const rather = item.suggested ?? item.predicted;
  const label = [item.label ?? (item.label_raw ? `“${item.label_raw}”?` : "no label"),
    item.split ? el("span", { class: "soft" }, ` · ${item.split}`) : "",
    rather && rather !== item.label ? el("span", { class: "soft" }, ` · predicted ${rather}`) : ""];
  const doubts = item.doubts.map((doubt) => el("li", { title: doubt.text }, el("b", {}, doubt.code), ` ${doubt.text}`));
  const text = item.decision === "relabel" ? `now ${item.new_label}` : item.decision;
  return el("article", { class: `card image ${index === chosen ? "chosen" : ""} ${item.decision ?? ""}`, "data-number": item.number, onclick: () => choose(index) },
    el("div", { class: "picture" }, image), el("div", { class: "label" }, label), el("div", { class: "id soft small" }, item.id),
    el("ul", { class: "doubts small" }, doubts),
    item.decision ? chip(item.changed ? `${text}, of another picture` : text, `badge ${{ accept: "good", exclude: "error", relabel: "warning" }[item.decision]}`) : "");
}

function draw() {
  $("grid").replaceChildren(...items.map(card));
  if (!items.length) $("grid").append(el("p", { class: "empty" }, "nothing is left here"));
  $("place").textContent = total ? `${number(start + 1)}–${number(start + items.length)} of ${number(total)}` : "0";
  $("back").disabled = start === 0;
  $("next").disabled = start + items.length >= total;
  $("all").hidden = overview.read_only || !$("code").value || $("state").value !== "open" || !total;
}

function choose(index) {
  if (!items.length) return;
  $("grid").children[chosen]?.classList.remove("chosen");
  chosen = Math.min(Math.max(index, 0), items.length - 1);
  $("grid").children[chosen].classList.add("chosen");
  $("grid").children[chosen].scrollIntoView({ block: "nearest" });
}

// The list of open images shrinks with every decision, so a page is asked for by the image it begins behind.
async function load(from = { start: 0 }) {
  const mine = ++latest;
  try {
    const page = await getJson("items", { code: $("code").value, state: $("state").value, count: AT_ONCE, ...from });
    if (mine !== latest) return; // something else is to be shown by now
    const before = from.start === start ? items[chosen]?.number : null;
    ({ items, total, start } = page);
    chosen = Math.max(0, items.findIndex((item) => item.number === before));
    progress(page);
    draw();
    fail("", "page");
  } catch (error) {
    fail(error.message, "page");
  }
}

function visible(index) {
  const place = $("grid").children[index].getBoundingClientRect();
  return place.bottom > 0 && place.top < window.innerHeight;
}

async function decide(decision, label) {
  let index = chosen;
  if (decision === null && decided.length && !items[index]?.decision) {
    index = items.findIndex((each) => each.number === decided.at(-1));
  }
  const item = items[index];
  if (!item || overview.read_only) return;
  if (decision === null && !item.decision && !saving) {
    toast("nothing was decided here that could be taken back");
    return;
  }
  if (!visible(index)) { // nothing is decided about a card that is not seen
    choose(index);
    return;
  }
  if (decision === null) {
    if (decided.includes(item.number)) decided.splice(decided.lastIndexOf(item.number), 1);
    choose(index);
  } else {
    decided.push(item.number);
    choose(index + 1);
  }
  saving += 1;
  const result = await save("decide", { numbers: [item.number], decision, label });
  if (result) await note();
  saving -= 1;
  if (!result) {
    if (decision !== null && decided.includes(item.number)) decided.splice(decided.lastIndexOf(item.number), 1);
    return;
  }
  progress(result);
  if (items[index]?.number === item.number) {
    [items[index]] = result.items;
    $("grid").children[index].replaceWith(card(items[index], index));
  }
}

function turn(pages) {
  if (pages < 0 && items.length) load({ before: items[0].number });
  else if (pages > 0 && items.length && !$("next").disabled) load({ after: items.at(-1).number });
  else if (pages > 0 && $("state").value === "open") load(); // what was passed over stands at the start again
}

/** Decide about all images with the finding that is shown: first how many, then the decision. */
async function decideAll() {
  const code = $("code").value;
  const verdict = el("select", { "aria-label": "decision" }, [["accept", "accept them as they are"], ["exclude", "exclude them"], ["relabel predicted", "give them the predicted label"],
    ...overview.labels.map((name) => [`relabel ${name}`, `label them ${name}`])].map(([value, text]) => el("option", { value }, text)));
  const count = el("p", { class: "message", role: "status" });
  const go = el("button", { type: "button", class: "main" }, "save");
  const dialog = el("dialog", { "aria-label": `decide all of ${code}` }, el("h2", {}, `All undecided images with ${code}`), verdict, count,
    el("div", { class: "bar" }, go, el("button", { type: "button", onclick: () => dialog.close() }, "cancel")));
  const wish = () => {
    const [decision, ...label] = verdict.value.split(" ");
    return { code, decision, label: label.join(" ") || null };
  };
  let expected = null;
  let looks = 0;
  const look = async () => {
    const mine = ++looks;
    go.disabled = true;
    try {
      const plan = await post("decide-all", wish());
      if (mine !== looks) return; // another choice was made meanwhile
      const others = Object.entries(plan.unchanged).map(([why, many]) => `; left alone: ${number(many)}, ${why}`);
      expected = plan.images;
      count.textContent = `${plural(plan.images, "image")}${others.join("")}`;
      go.disabled = !plan.images;
    } catch (error) {
      if (mine === looks) count.textContent = error.message;
    }
  };
  verdict.onchange = look;
  go.onclick = async () => {
    dialog.close();
    const result = await save("decide-all", { ...wish(), expected });
    if (!result) return;
    toast(`saved: ${plural(result.images, "decision")}`, { text: "undo", run: undoAll });
    await note();
    await load();
  };
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  await look();
}

async function undoAll() {
  const result = await save("undo-all", {});
  if (result) toast(`${plural(result.images, "decision")} taken back`);
  await note();
  await load();
}

async function note() {
  try {
    revision = (await getJson("revision")).revision;
  } catch (error) {
    fail(error.message, "server"); // the next look takes it away
  }
}

/** Show what others decided; what is decided here leaves the cards in their places. */
async function poll() {
  try {
    const before = revision;
    const now = (await getJson("revision")).revision;
    if (!saving && revision === before) {
      if (before !== null && now !== before) await load({ start });
      revision = now;
    }
    fail("", "server");
  } catch (error) {
    fail(error.message, "server");
  }
  setTimeout(poll, EVERY);
}

function across() {
  return getComputedStyle($("grid")).gridTemplateColumns.split(" ").length;
}

function keys() {
  const takeSuggested = () => { if (overview.labels.includes(items[chosen]?.suggested)) decide("relabel", items[chosen].suggested); };
  ofPage([
    "Images",
    { keys: ["ArrowRight"], text: "next image", run: () => choose(chosen + 1) },
    { keys: ["ArrowLeft"], text: "image before", run: () => choose(chosen - 1) },
    { keys: ["ArrowDown"], text: "a row down", run: () => choose(chosen + across()) },
    { keys: ["ArrowUp"], text: "a row up", run: () => choose(chosen - across()) },
    { keys: ["PageDown"], text: "next page", run: () => turn(1) },
    { keys: ["PageUp"], text: "page before", run: () => turn(-1) },
    { keys: ["a"], text: "accept it as it is", run: () => decide("accept") },
    { keys: ["x"], text: "exclude it", run: () => decide("exclude") },
    { keys: ["u"], text: "take the last decision back", run: () => decide(null) },
    { keys: ["s"], text: "take the suggested label", run: takeSuggested },
    ...overview.labels.slice(0, 9).map((name, index) => ({ keys: [String(index + 1)], text: `label it ${name}`, run: () => decide("relabel", name) })),
    { keys: ["d"], text: "decide all of this finding", run: () => { if (!$("all").hidden) decideAll(); } },
  ]);
}

function actions() {
  const button = (key, text, run) => el("button", { type: "button", onclick: run }, key ? el("kbd", {}, key) : "", ` ${text}`);
  $("actions").replaceChildren(...(overview.read_only ? [el("span", {}, "read-only: nothing can be decided")] : [
    button("A", "accept", () => decide("accept")), button("X", "exclude", () => decide("exclude")), button("U", "undo", () => decide(null)),
    ...overview.labels.map((name, index) => button(index < 9 ? String(index + 1) : "", name, () => decide("relabel", name))),
  ]));
}

async function begin() {
  overview = await getJson("overview");
  document.title = `${overview.dataset} · me-datasets`;
  $("title").textContent = overview.dataset;
  $("code").append(new Option(`all (${number(overview.images)})`, ""));
  for (const { code, name, count } of overview.codes) $("code").append(new Option(`${code} ${name} (${number(count)})`, code));
  for (const name of ["code", "state"]) $(name).onchange = () => { $(name).blur(); load(); };
  $("back").onclick = () => turn(-1);
  $("next").onclick = () => turn(1);
  $("all").onclick = decideAll;
  $("help").onclick = showHelp;
  always({ keys: ["?"], text: "this list", run: showHelp }, { keys: ["t"], text: "dark or light", run: theme() });
  actions();
  keys();
  await load();
  await poll();
}

begin().catch((error) => fail(error.message, "page"));
