import { chip, el, meaning, options, toast } from "./dom.js";
import { state } from "./main.js";

const TABS = { findings: "Findings", expressions: "Expressions", compare: "Compare" };
const BOUNDS = ["onset", "apex", "offset"];
const SAYS = { accept: "accepted as it is", exclude: "excluded", correct: "corrected", relocate: "relocated", note: "noted" };
const FLOWS = { lk: "windowed least squares (lk)", tvl1: "TV-L1", dis: "DIS", farneback: "Farnebäck" };
const KINDS = [["missing", /gap|without-file|missing/], ["no_face", /face/], ["clipped", /clip|edge|crop/]];

/** The side of a video's page: its findings with their choices, its expressions with their fields, two frames compared. */
export class Panel {
  constructor(root, page) {
    Object.assign(this, { root, page, tab: "findings", chosen: null, comparing: { a: "onset", b: "apex" }, accepting: new Set() });
    this.tabs = el("div", { class: "tabs", role: "tablist" }, Object.entries(TABS).map(([name, text]) =>
      el("button", { type: "button", role: "tab", id: `tab-${name}`, "data-tab": name, "aria-controls": "panel", onclick: () => this.open(name) }, text)));
    this.body = el("div", { id: "panel", role: "tabpanel" });
    root.append(this.tabs, this.body);
  }

  get data() {
    return this.page.data;
  }

  get findings() {
    const weight = (each) => (each.decision ? 3 : ["error", "warning", "info"].indexOf(each.severity));
    return [...this.data.findings].sort((a, b) => weight(a) - weight(b));
  }

  get finding() {
    return this.data.findings.find((each) => each.number === this.chosen) ?? null;
  }

  open(name) {
    this.tab = name;
    this.draw();
  }

  nextTab() {
    const names = Object.keys(TABS);
    this.open(names[(names.indexOf(this.tab) + 1) % names.length]);
  }

  draw() {
    for (const button of this.tabs.children) {
      const { tab } = button.dataset;
      button.setAttribute("aria-selected", String(tab === this.tab));
      const count = { findings: this.data.open || "", expressions: this.data.annotations.length || "", compare: "" }[tab];
      button.textContent = count === "" ? TABS[tab] : `${TABS[tab]} ${count}`;
    }
    this.body.setAttribute("aria-labelledby", `tab-${this.tab}`);
    const restore = this.kept();
    this.drawing = true;
    this.body.replaceChildren(...{ findings: () => this.drawFindings(), expressions: () => this.drawExpressions(), compare: () => this.drawCompare() }[this.tab]());
    this.drawing = false;
    restore();
  }

  /** What gives the focus, and what was typed but not saved yet, back to the fields after everything was drawn anew. */
  kept() {
    const active = this.body.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
    const typed = new Map([...this.body.querySelectorAll("input[data-dirty]")].map((node) => [node.dataset.keep, node.value]));
    return () => {
      for (const node of this.body.querySelectorAll("[data-keep]")) {
        if (typed.has(node.dataset.keep)) {
          node.value = typed.get(node.dataset.keep);
          node.dataset.dirty = "yes";
        }
        if (active && node.dataset.keep === active) node.focus();
      }
    };
  }

  // findings

  drawFindings() {
    const cards = this.findings.map((each) => this.card(each));
    const remarks = this.findings.map((each, index) => [each, cards[index]])
      .filter(([each]) => each.severity === "info" && !each.decision && each.number !== this.chosen);
    const shown = cards.filter((card) => !remarks.some(([, remark]) => remark === card));
    const parts = [];
    if (!this.data.findings.length) parts.push(el("p", { class: "empty" }, "nothing was found in this video"));
    parts.push(...shown);
    if (remarks.length) {
      parts.push(el("details", { class: "card" }, el("summary", {}, `${remarks.length} remark${remarks.length > 1 ? "s" : ""} that need no decision`), remarks.map(([, card]) => card)));
    }
    parts.push(this.videoCard());
    return parts;
  }

  card(each) {
    const on = each.number === this.chosen;
    const settled = Boolean(each.decision);
    const parts = [el("div", { class: "row" }, chip(each.code, settled ? "settled" : each.severity, each.severity),
      el("h2", {}, el("button", { type: "button", class: "plainbutton", "aria-expanded": String(on), "data-keep": `finding ${each.number}`, onclick: () => this.choose(each.number) }, each.name.replaceAll("-", " "))),
      settled ? chip(SAYS[each.decision.action], "good settled") : "")];
    parts.push(el("p", { class: "message" }, each.message, each.caused ? el("span", { class: "soft" }, " (caused by a correction)") : ""));
    if (!on && each.where) parts.push(el("p", { class: "soft small where" }, each.where));
    if (on) {
      parts.push(meaning(each, ["where"]));
      parts.push(this.around(each));
      parts.push(settled ? this.settled(each) : this.choices(each));
    }
    return el("article", { class: `card ${on ? "chosen" : ""} ${settled ? "settled" : ""}`, "data-finding": each.number }, parts);
  }

  /** The frames around the one that a finding is about. */
  around(each) {
    const frame = this.frameOf(each);
    if (frame === null || this.data.no_frames) return "";
    const numbers = [-2, -1, 0, 1, 2].map((by) => frame + by).filter((at) => at >= this.data.first && at <= this.data.last);
    const strip = el("div", { class: "row" }, numbers.map((at) => {
      const lacks = this.data.lacking.some(([from, to]) => from <= at && at <= to);
      const image = lacks ? el("span", { class: "small" }, "no file") : el("img", { src: `videos/${this.data.number}/frames/${at}?width=160`, alt: `frame ${at}`, loading: "lazy", onerror: (event) => event.target.replaceWith("no picture") });
      return el("button", { type: "button", class: `quiet around ${at === frame ? "this" : ""}`, title: `frame ${at}`, onclick: () => this.page.seek(at) }, image, el("span", { class: "small number" }, String(at)));
    }));
    strip.classList.add("arounds");
    return strip;
  }

  choices(each) {
    if (state.read_only) return el("p", { class: "soft small" }, "read-only: nothing can be decided");
    const button = (text, key, run, main = false) => el("button", { type: "button", class: main ? "main" : "", onclick: run }, text, " ", key ? el("kbd", {}, key) : "");
    return el("div", { class: "choices" },
      button("Accept as it is", "A", () => this.accept(), true),
      each.annotation ? button("Correct…", "", () => this.correctFinding(each)) : "",
      each.annotation ? button("Exclude row", "X", () => this.excludeRow()) : "",
      button("Exclude video", "⇧X", () => this.excludeVideo()),
      each.relocates ? button(`Relocate to ${each.expected}`, "", () => this.decide([{ action: "relocate", finding: each.number }], `relocated to ${each.expected}; nothing is moved on the disk`)) : "",
      this.noteField(`note ${each.number}`, "why, if you want to say"));
  }

  settled(each) {
    const { decision } = each;
    const what = decision.action === "correct" ? `${decision.column} “${decision.old}” → “${decision.new}” (as the workbook writes it)` : SAYS[decision.action];
    return el("div", { class: "choices" }, el("span", {}, what, decision.note ? ` · ${decision.note}` : ""), el("span", { class: "space" }), this.undoButton(decision.id));
  }

  undoButton(id, text = "Undo") {
    return state.read_only ? "" : el("button", { type: "button", onclick: () => this.page.undo([id]) }, text);
  }

  noteField(keep, placeholder) {
    return el("input", { type: "text", class: "note", "aria-label": "note", placeholder, maxlength: 500, "data-keep": keep,
      oninput: (event) => { event.target.dataset.dirty = "yes"; },
      onkeydown: (event) => { if (event.key === "Enter" && keep === "note video") this.note(event.target.value); } });
  }

  videoCard() {
    const { data } = this;
    const button = el("button", { type: "button", onclick: () => this.excludeVideo() }, "Exclude this video");
    return el("article", { class: "card" }, el("h2", {}, "The video"),
      data.notes.map((note) => el("div", { class: "row" }, el("p", { class: "message" }, note.note), el("span", { class: "space" }), this.undoButton(note.id, "Remove"))),
      state.read_only ? "" : el("div", { class: "choices" }, this.noteField("note video", "a note; Enter saves it"),
        el("button", { type: "button", onclick: (event) => this.note(event.target.previousSibling.value) }, "Save note"),
        data.excluded ? [chip("excluded", "settled"), this.undoButton(data.excluded, "Take it in again")] : button));
  }

  choose(number, jump = true) {
    this.chosen = number;
    this.tab = "findings";
    const each = this.finding;
    if (each?.annotation) {
      this.page.chosen = each.annotation;
      this.page.timeline.mark(each.annotation);
    }
    this.draw();
    this.reveal(this.body.querySelector(".card.chosen"));
    const frame = each && this.frameOf(each);
    if (jump && frame !== null && frame !== undefined) this.page.seek(frame);
  }

  /** Scroll the panel, where it scrolls by itself; where the whole page does, the frame stays in view. */
  reveal(card) {
    if (card && this.root.scrollHeight > this.root.clientHeight) {
      const top = card.offsetTop - this.root.offsetTop - this.tabs.offsetHeight - 8;
      if (top < this.root.scrollTop || card.offsetHeight + top > this.root.scrollTop + this.root.clientHeight - 60) this.root.scrollTop = top;
    }
  }

  firstOpen() {
    return this.findings.find((each) => !each.decision && each.severity !== "info") ?? null;
  }

  nextFinding() {
    const left = this.findings.filter((each) => !each.decision && each.severity !== "info");
    const next = left[left.findIndex((each) => each.number === this.chosen) + 1];
    if (!next) return false;
    this.choose(next.number);
    return true;
  }

  move(by) {
    const all = this.findings;
    if (!all.length) return;
    const index = all.findIndex((each) => each.number === this.chosen);
    this.choose(all[Math.min(all.length - 1, Math.max(0, index + by))].number);
  }

  frameOf(each) {
    const row = this.data.annotations.find((one) => one.id === each.annotation);
    if (row) {
      const { frames } = row;
      return frames[each.column] ?? frames.onset ?? frames.apex ?? frames.offset;
    }
    const kind = KINDS.find(([, pattern]) => pattern.test(each.name))?.[0];
    if (kind === "missing" && this.data.lacking.length) return this.data.lacking[0][0];
    return this.data.doubtful_frames[kind]?.[0]?.[0] ?? null;
  }

  doubtsAt(frame) {
    const names = { missing: "no picture", no_face: "no face of its own", clipped: "cut at the edge of the crop", invalid: "motion not believed" };
    const within = ([from, to]) => from <= frame && frame <= to;
    const list = Object.entries(this.data.doubtful_frames).filter(([, ranges]) => ranges.some(within)).map(([kind]) => names[kind]);
    if (this.data.lacking.some(within) && !list.includes(names.missing)) list.unshift("no file");
    return list;
  }

  doubtStarts() {
    const ranges = [...this.data.lacking, ...Object.values(this.data.doubtful_frames).flat()];
    return [...new Set(ranges.map(([from]) => from))].sort((a, b) => a - b);
  }

  typedNote() {
    return this.body.querySelector(".card.chosen input.note")?.value.trim() || null;
  }

  async decide(decisions, text) {
    return this.page.decide(decisions, text);
  }

  async accept() {
    const each = this.finding;
    if (!each || each.decision) {
      toast(each ? "it is decided already" : "choose a finding first (J, K)");
      return;
    }
    if (this.accepting.has(each.number)) return;
    this.accepting.add(each.number);
    const done = await this.decide([{ action: "accept", finding: each.number, note: this.typedNote() }], `${each.code} accepted`);
    this.accepting.delete(each.number);
    if (done && this.chosen === each.number && this.root.isConnected) this.nextFinding();
  }

  async excludeRow() {
    const annotation = (this.tab === "findings" && this.finding?.annotation) || this.page.chosen;
    const row = this.data.annotations.find((each) => each.id === annotation);
    if (!row) toast("no expression is annotated here");
    else if (row.excluded) toast("it is excluded already");
    else await this.decide([{ action: "exclude", annotation, note: this.typedNote() }], `${row.expression ?? row.id} excluded`);
  }

  async excludeVideo() {
    if (this.data.excluded) toast("it is excluded already");
    else await this.decide([{ action: "exclude", video: this.data.number, note: this.typedNote() }], `${this.data.name} excluded`);
  }

  async note(text) {
    if (!text.trim()) return;
    const field = this.body.querySelector("[data-keep='note video']");
    if (field) {
      field.value = "";
      delete field.dataset.dirty;
    }
    if (await this.decide([{ action: "note", video: this.data.number, note: text.trim() }], "note")) return;
    const again = this.body.querySelector("[data-keep='note video']");
    if (again) again.value = text;
  }

  writeNote() {
    if (this.tab !== "findings") this.open("findings");
    const field = this.body.querySelector(".card.chosen input.note") ?? this.body.querySelector("input.note");
    field?.focus();
  }

  correctFinding(each) {
    this.tab = "expressions";
    this.page.choose(each.annotation);
    const column = each.column ?? "onset";
    const field = this.body.querySelector(`.card.chosen [data-column="${column}"]`);
    field?.focus();
    field?.select?.();
  }

  // expressions

  chooseExpression(id) {
    if (this.tab === "findings") return;
    this.draw();
    const card = [...this.body.querySelectorAll("[data-expression]")].find((node) => node.dataset.expression === id);
    this.reveal(card);
  }

  drawExpressions() {
    const { annotations } = this.data;
    return annotations.length ? annotations.map((row) => this.expression(row)) : [el("p", { class: "empty" }, "no expression is annotated in this video")];
  }

  expression(row) {
    const on = row.id === this.page.chosen;
    const name = row.expression ?? row.id;
    const withVideo = row.excluded !== null && row.excluded === this.data.excluded; // to take that back takes in all rows
    const predicted = row.predicted === null ? "" : chip(`predicted ${row.predicted}`, [row.values.emotion, row.class_3].includes(row.predicted) ? "good" : "warning");
    return el("article", { class: `card ${on ? "chosen" : ""}`, "data-expression": row.id },
      el("div", { class: "row" }, chip(row.values.type, row.values.type),
        el("h2", {}, el("button", { type: "button", class: "plainbutton", "data-keep": `expression ${row.id}`, onclick: () => this.page.choose(row.id, row.frames.onset ?? row.frames.apex ?? row.frames.offset) }, name)),
        row.excluded ? chip(withVideo ? "excluded with the video" : "excluded", "settled") : "", predicted, this.openOf(row)),
      el("div", { class: "fields" }, [...BOUNDS, "type", "emotion", "aus"].map((column) => this.field(row, column))),
      el("div", { class: "choices" },
        state.read_only || withVideo ? "" : row.excluded ? this.undoButton(row.excluded, "Take it in again")
          : el("button", { type: "button", onclick: () => { this.page.chosen = row.id; this.tab = "expressions"; this.excludeRow(); } }, "Exclude row"),
        el("span", { class: "soft small" }, row.place)));
  }

  /** The codes of the findings about a row that nobody has decided about. */
  openOf(row) {
    const open = this.data.findings.filter((each) => each.annotation === row.id && !each.decision && each.severity !== "info");
    return open.map((each) => chip(`${each.code} ${each.name.replaceAll("-", " ")}`, each.severity, each.message));
  }

  field(row, column) {
    const value = row.values[column];
    const attributes = { "data-column": column, "data-keep": `${row.id} ${column}`, disabled: state.read_only || !row.cells[column],
      oninput: (event) => { event.target.dataset.dirty = "yes"; } };
    let input;
    if (column === "type" || column === "emotion") {
      input = el("select", { ...attributes, onchange: () => this.page.correct(row, column, input.value || null) });
      const known = column === "type" ? ["micro", "macro"] : state.emotions;
      const entries = [...known, ...(value && !known.includes(value) ? [value] : [])].map((text) => [text, text]);
      options(input, value ? entries : [["", "not annotated"], ...entries], value ?? "");
    } else {
      const frames = BOUNDS.includes(column);
      input = el("input", { ...attributes, type: frames ? "number" : "text", min: frames ? row.range?.[0] ?? 0 : null, max: frames ? row.range?.[1] : null, step: frames ? 1 : null, maxlength: frames ? null : 200,
        onchange: () => commit(), onblur: () => commit(), onkeydown: (event) => { if (event.key === "Enter") commit(); } });
      // a field that was drawn anew while somebody typed has no change event of its own
      const commit = () => { if (input.dataset.dirty && !this.drawing) this.typed(row, column, input); };
      input.defaultValue = value ?? "";
    }
    const corrected = row.corrected[column];
    return el("label", { class: corrected ? "edited" : "" }, column === "aus" ? "action units" : column, input,
      el("span", { class: "raw", title: row.cells[column] ?? null },
        corrected ? [`was ${row.before[column] ?? "empty"} `, this.undoButton(corrected, "undo")] : row.cells[column] ? `“${row.raw[column] ?? ""}” ${row.cells[column].split(" ").at(-1)}` : "no such column"));
  }

  async typed(row, column, input) {
    delete input.dataset.dirty;
    const text = input.value.trim();
    if (!BOUNDS.includes(column)) await this.page.correct(row, column, text || null);
    else if (text === "" && !input.validity.badInput) await this.page.correct(row, column, null);
    else if (/^\d{1,9}$/.test(text)) await this.page.correct(row, column, Number(text));
    else {
      toast(`${column}: a whole number is wanted`);
      input.value = row.values[column] ?? "";
    }
  }

  // compare

  drawCompare() {
    const { row } = this.page;
    const entries = [...BOUNDS.filter((name) => row && row.frames[name] !== null).map((name) => [name, `${name} (${row.frames[name]})`]), ["shown", "the frame shown"], ["first", "first frame"]];
    const names = entries.map(([name]) => name);
    if (!names.includes(this.comparing.a)) this.comparing.a = "first";
    if (!names.includes(this.comparing.b)) this.comparing.b = "shown";
    const pick = (side, text) => {
      const select = el("select", { "data-keep": `compare ${side}`, onchange: () => { this.comparing[side] = select.value; this.drawFaces(); } });
      options(select, entries, this.comparing[side]);
      return el("label", {}, text, select);
    };
    this.faces = el("div", { class: "faces" });
    this.drawFaces();
    return [el("article", { class: "card" },
      el("h2", {}, row ? `${row.values.type} ${row.expression ?? row.id}` : "two frames"),
      el("div", { class: "fields two" }, pick("a", "from"), pick("b", "to"))), this.faces];
  }

  frameNamed(name) {
    if (name === "shown") return this.page.frame;
    return name === "first" ? this.data.first : this.page.row.frames[name];
  }

  drawFaces() {
    const [a, b] = [this.frameNamed(this.comparing.a), this.frameNamed(this.comparing.b)];
    const key = `${a} ${b}`;
    if (this.faces.dataset.key === key) return;
    this.faces.dataset.key = key;
    const face = (kind, text) => el("figure", {}, el("img", {
      src: `videos/${this.data.number}/compare/${kind}?a=${a}&b=${b}&crop=1`, alt: text, onerror: (event) => event.target.replaceWith(el("p", { class: "empty" }, "cannot be shown")),
    }), el("figcaption", {}, text));
    this.faces.replaceChildren(face("first", `frame ${a}`), face("second", `frame ${b}`),
      face("difference", "change of brightness, 4 times as strong"), face("flow", `optical flow by ${FLOWS[state.flow.method]}${state.flow.of_features ? ", as in the features" : ""}; the shift of the whole head is removed`));
  }

  atFrame() {
    if (this.tab === "compare" && [this.comparing.a, this.comparing.b].includes("shown")) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => { if (this.tab === "compare") this.drawFaces(); }, 120);
    }
  }
}
