"use strict";

// Texts of the set (names, labels) reach the page as text only, never as markup.
const AT_ONCE = 60;
const $ = (id) => document.getElementById(id);
let labels = [];
let items = [];
let chosen = 0;
let start = 0;
let total = 0;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function fail(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

async function ask(address, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("the program that serves this page is not running any more; start it again, nothing is lost");
  }
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function progress(said) {
  const parts = Object.entries(said.decisions).map(([name, count]) => `${name} ${count}`);
  $("progress").textContent = `${said.decided} of ${said.images} decided${parts.length ? `: ${parts.join(", ")}` : ""}`;
}

function card(item, index) {
  const made = element("article", index === chosen ? "chosen" : "");
  made.dataset.number = item.number;
  if (item.decision) made.dataset.decision = item.decision;
  const frame = element("div", "frame");
  const image = element("img");
  image.loading = "lazy";
  image.alt = item.id;
  image.src = `image/${item.number}`;
  image.onerror = () => frame.replaceChildren(element("p", "", "cannot be shown"));
  frame.append(image);
  const label = element("div", "label", item.label ?? (item.label_raw ? `“${item.label_raw}”?` : "no label"));
  if (item.split) label.append(element("span", "other", ` · ${item.split}`));
  const rather = item.suggested ?? item.predicted;
  if (rather && rather !== item.label) label.append(element("span", "other", ` · predicted ${rather}`));
  const doubts = element("ul", "doubts");
  for (const doubt of item.doubts) {
    const line = element("li");
    line.title = doubt.text;
    line.append(element("b", "", doubt.code), ` ${doubt.text}`);
    doubts.append(line);
  }
  made.append(frame, label, element("div", "id", item.id), doubts);
  if (item.decision) {
    const text = item.decision === "relabel" ? `now ${item.new_label}` : item.decision;
    made.append(element("span", `badge ${item.decision}`, item.changed ? `${text}, of another picture` : text));
  }
  made.onclick = () => choose(index);
  return made;
}

function draw() {
  $("grid").replaceChildren(...items.map(card));
  if (!items.length) $("grid").append(element("p", "empty", "nothing left here"));
  $("place").textContent = total ? `${start + 1}–${start + items.length} of ${total}` : "0";
  $("back").disabled = start === 0;
  $("next").disabled = start + items.length >= total;
}

function choose(index) {
  if (!items.length) return;
  $("grid").children[chosen]?.classList.remove("chosen");
  chosen = Math.min(Math.max(index, 0), items.length - 1);
  $("grid").children[chosen].classList.add("chosen");
  $("grid").children[chosen].scrollIntoView({ block: "nearest" });
}

// The list of open images shrinks with every decision, so a page is asked for by the image it begins behind.
async function load(from) {
  const query = new URLSearchParams({ code: $("code").value, state: $("state").value, count: AT_ONCE, ...from });
  try {
    const said = await ask(`items?${query}`);
    ({ items, total, start } = said);
    chosen = 0;
    progress(said);
    draw();
    fail("");
  } catch (error) {
    fail(error.message);
  }
}

let waiting = Promise.resolve(); // one decision after the other, in the order of the keys

const decided = []; // numbers of images, the last one last

function visible(index) {
  const place = $("grid").children[index].getBoundingClientRect();
  return place.bottom > 0 && place.top < window.innerHeight;
}

function decide(decision, label) {
  let index = chosen;
  if (decision === null && decided.length && !items[index]?.decision) {
    index = items.findIndex((each) => each.number === decided.at(-1));
  }
  const item = items[index];
  if (!item) return;
  if (!visible(index)) { // nothing is decided about a card that is not seen
    choose(index);
    return;
  }
  if (decision === null) {
    decided.splice(decided.lastIndexOf(item.number), 1);
    choose(index);
  } else {
    decided.push(item.number);
    choose(index + 1);
  }
  waiting = waiting.then(async () => {
    try {
      const said = await ask("decide", { numbers: [item.number], decision, label });
      progress(said);
      if (items[index]?.number === item.number) {
        items[index] = said.items[0];
        $("grid").children[index].replaceWith(card(items[index], index));
      }
      fail("");
    } catch (error) {
      fail(`not saved: ${error.message}`);
    }
  });
}

function turn(pages) {
  if (pages < 0 && items.length) load({ before: items[0].number });
  else if (pages > 0 && items.length && !$("next").disabled) load({ after: items.at(-1).number });
  else if (pages > 0 && $("state").value === "open") load({ start: 0 }); // what was passed over stands at the start again
}

function across() {
  return getComputedStyle($("grid")).gridTemplateColumns.split(" ").length;
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across(), ArrowUp: -across() };
  if (event.key in moves) choose(chosen + moves[event.key]);
  else if (event.key === "PageDown") turn(1);
  else if (event.key === "PageUp") turn(-1);
  else if (letter === "a") decide("accept");
  else if (letter === "x") decide("exclude");
  else if (letter === "u") decide(null);
  else if (letter === "s" && labels.includes(items[chosen]?.suggested)) decide("relabel", items[chosen].suggested);
  else if (/^[1-9]$/.test(event.key) && labels[event.key - 1]) decide("relabel", labels[event.key - 1]);
  else return;
  event.preventDefault();
}

async function begin() {
  const said = await ask("overview");
  document.title = `${said.dataset}: review`;
  $("title").textContent = said.dataset;
  labels = said.labels;
  $("code").append(new Option(`all (${said.images})`, ""));
  for (const { code, name, count } of said.codes) $("code").append(new Option(`${code} ${name} (${count})`, code));
  labels.forEach((name, index) => {
    const button = element("button");
    if (index < 9) button.append(element("kbd", "", String(index + 1)), " ");
    button.append(name);
    button.onclick = () => decide("relabel", name);
    $("labels").append(button);
  });
  for (const button of document.querySelectorAll("[data-verdict]")) {
    button.onclick = () => decide(button.dataset.verdict === "undo" ? null : button.dataset.verdict);
  }
  $("code").onchange = () => { $("code").blur(); load({ start: 0 }); };
  $("state").onchange = () => { $("state").blur(); load({ start: 0 }); };
  $("back").onclick = () => turn(-1);
  $("next").onclick = () => turn(1);
  document.addEventListener("keydown", key);
  await load({ start: 0 });
}

begin().catch((error) => fail(error.message));
