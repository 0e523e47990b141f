import { chip, el, fail, number, options, plural, toast, toastSaved } from "./dom.js";
import { getJson, save } from "./net.js";
import { ofPage } from "./keys.js";
import { changed, state } from "./main.js";
import { Player } from "./player.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { Panel } from "./panel.js";

const SPEEDS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2];
const FACTORS = [2, 4, 8, 16];
const BOUNDS = ["onset", "apex", "offset"];
const SWITCHES = { crop: "crop (C)", landmarks: "landmarks (L)", regions: "regions and their motion (R)", face: "the face only (F)" };

const taken = []; // decisions taken in this page, as {ids, text}, the last one last

export async function open(content, [which], given) {
  const data = await getJson(`videos/${which}`);
  const page = new VideoPage(content, data);
  page.begin(given);
  return page;
}

/** A control that was clicked, or has been changed, gives the keys back to the page: space plays, arrows step. */
function letGo(event) {
  if (event.type === "change") event.target.blur();
  else if (event.detail) event.target.closest("button")?.blur();
}

class VideoPage {
  constructor(content, data) {
    Object.assign(this, { content, data, chosen: data.annotations[0]?.id ?? null, factor: 0, asked: 0, updated: 0 });
    this.build();
  }

  get row() {
    return this.data.annotations.find((row) => row.id === this.chosen) ?? null;
  }

  get frame() {
    return this.player.current;
  }

  build() {
    const { data } = this;
    this.head = el("div", { class: "head" });
    this.canvas = el("canvas", { role: "img", "aria-label": "frame" });
    this.over = el("span", { class: "over number" });
    this.doubt = el("span", { class: "over doubt", hidden: true });
    this.nothing = el("div", { class: "nothing", hidden: true });
    const bar = this.bar();
    const frame = el("div", { class: "frame" }, this.canvas, this.over, this.doubt, this.nothing, el("div", { class: "switches" }, this.switches));
    const root = el("div", { class: "timeline" });
    const side = el("div", { class: "side", tabindex: "0", role: "region", "aria-label": "findings and expressions" });
    this.content.replaceChildren(el("div", { class: "video" }, this.head,
      el("section", { class: "stage", "aria-label": "frames", onclick: letGo, onchange: letGo }, frame, bar),
      el("section", { class: "time", "aria-label": "timeline", onclick: letGo }, root, this.zooms()), side));
    this.player = new Player({
      ...data,
      address: (at) => ({
        address: `videos/${data.number}/frames/${at}`,
        query: { width: Math.round(frame.clientWidth * (window.devicePixelRatio || 1)) || 960, ...this.magnified() },
      }),
      onframe: () => this.shown(),
      onstate: () => this.drawBar(),
    });
    this.stage = new Stage(this.canvas, data);
    this.timeline = new Timeline(root, data, {
      editable: !state.read_only,
      scaled: (limit) => { if (this.scale) this.scale.textContent = `, lanes to ±${limit.toPrecision(2)}`; },
      seek: (at) => this.seek(at),
      choose: (row, still) => this.choose(row.id, still ? null : row.frames.onset ?? row.frames.apex ?? row.frames.offset),
      correct: (row, column, value) => this.correct(row, column, value),
    });
    this.panel = new Panel(side, this);
    this.resizing = new ResizeObserver(() => this.redraw());
    this.resizing.observe(frame);
  }

  begin(given) {
    const frame = given.has("frame") ? Number(given.get("frame")) : null;
    this.keys();
    this.draw();
    const asked = this.data.findings.find((each) => String(each.number) === given.get("finding"));
    const first = asked ?? this.panel.firstOpen();
    if (first) this.panel.choose(first.number, frame === null);
    if (frame !== null) this.seek(frame);
    else if (!first || this.panel.frameOf(first) === null) this.seek(this.row?.frames.onset ?? this.data.first);
  }

  leave() {
    clearTimeout(this.remembering);
    this.player.close();
    this.timeline.close();
    this.resizing.disconnect();
  }

  get revision() {
    return this.data.revision;
  }

  async update() {
    const mine = ++this.asked;
    const data = await getJson(`videos/${this.data.number}`);
    if (mine < this.updated || !this.canvas.isConnected) return; // an older answer that came late, or another page
    this.updated = mine;
    this.data = data;
    this.stage.data = data;
    this.draw();
  }

  draw() {
    this.drawHead();
    this.timeline.update(this.data, this.chosen);
    this.panel.draw();
    this.drawBar();
  }

  redraw() {
    this.timeline.draw();
    this.shown();
  }

  drawHead() {
    const { data } = this;
    const left = { open: [plural(data.open, "doubt"), "warning"], decided: ["decided", "good settled"], clear: ["no doubt", ""], excluded: ["excluded", "settled"] }[data.state];
    this.head.replaceChildren(
      el("a", { href: "#/videos", "aria-label": "back to the videos (Esc)", title: "back to the videos (Esc)" }, "‹ videos"),
      el("h1", {}, data.name), chip(...left),
      el("span", { class: "soft small" }, data.no_frames ? data.path ?? "no folder of frames" : `${data.path} · frames ${data.first} to ${number(data.last)} at ${number(data.fps)} a second`),
      el("span", { class: "space" }),
      data.next === null ? el("span", { class: "soft small" }, "no other video is undecided")
        : el("a", { href: `#/video/${data.next}`, title: "the next video with doubts (Shift+N)" }, "next undecided ›"));
  }

  bar() {
    const button = (text, label, run) => el("button", { type: "button", title: label, "aria-label": label, onclick: run }, text);
    this.playButton = button("▶", "play or pause (Space)", () => this.toggle());
    this.speed = el("select", { "aria-label": "speed", title: "speed (, and .)", onchange: () => this.player.setSpeed(SPEEDS[this.speed.value]) });
    options(this.speed, SPEEDS.map((speed, index) => [String(index), speed < 1 ? `1/${1 / speed} speed` : speed === 1 ? "real speed" : `${speed} × speed`]), "4");
    this.at = el("input", { class: "at number", type: "number", "aria-label": "frame", step: 1, onchange: () => this.seek(Number(this.at.value)) });
    this.switches = Object.entries(SWITCHES).map(([name, label]) =>
      el("button", { type: "button", "data-switch": name, "aria-pressed": "false", title: label, "aria-label": label, onclick: () => this.flip(name) }, name));
    this.magnify = el("select", { "aria-label": "magnified motion (G)", title: "magnified motion since the onset (G)", onchange: () => this.setFactor(Number(this.magnify.value)) });
    options(this.magnify, [["0", "motion as it is"], ...FACTORS.map((factor) => [String(factor), `motion × ${factor}`])], "0");
    return el("div", { class: "bar" },
      el("div", { class: "group" },
        button("|‹", "first frame (Home)", () => this.seek(this.data.first)),
        button("‹", "a frame back (←)", () => this.step(-1)), this.playButton,
        button("›", "a frame on (→)", () => this.step(1)),
        button("›|", "last frame (End)", () => this.seek(this.data.last))),
      this.at, this.speed,
      el("div", { class: "group" }, BOUNDS.map((name, index) => button(name, `to the ${name} (${index + 1})`, () => this.jump(name)))),
      button("next doubt", "to the next doubt (N)", () => this.nextDoubt()),
      el("span", { class: "space" }), this.magnify);
  }

  zooms() {
    const button = (text, label, run) => el("button", { type: "button", class: "quiet", title: label, "aria-label": label, onclick: run }, text);
    return el("div", { class: "bar small" }, el("span", { class: "soft" }, "timeline"),
      button("+", "nearer (+)", () => this.timeline.zoom(0.5)), button("−", "farther (-)", () => this.timeline.zoom(2)),
      button("expression", "the expression chosen (Z)", () => this.nearExpression()), button("whole", "the whole video (0)", () => this.timeline.whole()),
      el("span", { class: "space" }),
      this.data.motion ? el("span", { class: "soft" }, `px a frame: x grey, y green`, this.scale = el("span", {}), state.read_only ? "" : "; drag the edges of an expression to correct it")
        : el("span", { class: "soft" }, state.features ? "no features of this video" : "start the viewer with --features to see motion"));
  }

  drawBar() {
    const { playing } = this.player;
    this.playButton.textContent = playing ? "❚❚" : "▶";
    this.playButton.setAttribute("aria-pressed", String(playing));
    this.speed.value = String(SPEEDS.indexOf(this.player.speed));
    for (const node of this.switches) {
      const name = node.dataset.switch;
      node.setAttribute("aria-pressed", String(this.stage.shows[name]));
      node.disabled = !this.data.motion || (name === "crop" && !this.stage.box) || (name === "face" && !this.stage.box);
    }
    this.magnify.value = String(this.factor);
  }

  /** Called whenever another frame is shown, or its picture has come. */
  shown() {
    if (!this.canvas.isConnected) return;
    const picture = this.player.picture();
    this.canvas.dataset.frame = this.frame;
    this.canvas.dataset.ready = picture ? "yes" : "no";
    this.stage.draw(picture, this.frame, () => this.shown());
    const seconds = (this.frame / this.data.fps).toFixed(2);
    this.over.textContent = `frame ${this.frame} · ${seconds} s${picture?.name ? ` · ${picture.name}` : ""}${this.factor ? ` · motion × ${this.factor}` : ""}`;
    this.canvas.setAttribute("aria-label", `frame ${this.frame} of ${this.data.name}`);
    const why = this.data.no_frames ?? picture?.why;
    this.nothing.hidden = Boolean(picture && !why);
    this.nothing.classList.toggle("waiting", !why);
    this.nothing.textContent = why ?? "loading…";
    const doubts = this.panel.doubtsAt(this.frame);
    this.doubt.hidden = !doubts.length;
    this.doubt.textContent = doubts.join(", ");
    if (document.activeElement !== this.at) this.at.value = this.frame;
    this.timeline.at(this.frame);
    this.panel.atFrame();
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => this.remember(), 400);
  }

  remember() {
    if (location.hash.split("?")[0] === `#/video/${this.data.number}`) {
      history.replaceState(null, "", `#/video/${this.data.number}?frame=${this.frame}`);
    }
  }

  seek(frame) {
    if (!Number.isFinite(frame)) return;
    if (this.player.playing) this.player.pause();
    this.player.show(frame);
  }

  step(by) {
    this.seek(this.frame + by);
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.player.play();
  }

  faster(by) {
    const index = SPEEDS.indexOf(this.player.speed) + by;
    if (SPEEDS[index]) this.player.setSpeed(SPEEDS[index]);
  }

  flip(name) {
    if (!this.data.motion) return;
    this.stage.shows[name] = !this.stage.shows[name];
    this.drawBar();
    this.shown();
  }

  magnified() {
    return this.factor ? { factor: this.factor, reference: this.reference } : {};
  }

  setFactor(factor) {
    this.factor = factor;
    this.reference = this.row?.frames.onset ?? this.data.first;
    this.drawBar();
    this.player.vary(factor ? `${factor} ${this.reference}` : "");
    if (factor) toast(`motion since frame ${this.reference}, ${factor} times as large`);
  }

  jump(name) {
    const frame = this.row?.frames[name];
    if (frame === null || frame === undefined) toast(this.row ? `this expression has no ${name}` : "no expression is annotated");
    else this.seek(frame);
  }

  choose(id, frame = null) {
    this.chosen = id;
    this.timeline.mark(id);
    this.panel.chooseExpression(id);
    if (this.factor) this.setFactor(this.factor);
    if (frame !== null) this.seek(frame);
  }

  neighbour(by) {
    const rows = this.data.annotations;
    const index = rows.findIndex((row) => row.id === this.chosen) + by;
    if (rows[index]) {
      const { frames } = rows[index];
      this.choose(rows[index].id, frames.onset ?? frames.apex ?? frames.offset);
    }
  }

  nearExpression() {
    const frames = BOUNDS.map((name) => this.row?.frames[name]).filter((frame) => frame !== null && frame !== undefined);
    if (!frames.length) return;
    const [from, to] = [Math.min(...frames), Math.max(...frames)];
    const count = Math.max(12, (to - from + 1) * 1.8);
    this.timeline.look((from + to) / 2 - count / 2, count);
  }

  /** To the next finding without a decision; after the last one to frames in doubt, then to the next video. */
  nextDoubt() {
    if (this.panel.nextFinding()) return;
    const starts = this.panel.doubtStarts().filter((frame) => frame > this.frame);
    if (starts.length) this.seek(starts[0]);
    else toast("no further doubt in this video", this.data.next === null ? null : { text: "next video (Shift+N)", run: () => this.nextVideo() });
  }

  nextVideo() {
    if (this.data.next === null) toast("no other video is undecided");
    else location.hash = `#/video/${this.data.next}`;
  }

  here(column) {
    if (this.row) this.correct(this.row, column, Math.round(this.frame / this.data.step));
  }

  async correct(row, column, value) {
    const before = row.values[column];
    if (value === before) return true;
    const done = await this.decide([{ action: "correct", annotation: row.id, column, value }],
      `${column} ${before ?? "empty"} → ${value ?? "empty"}`);
    if (!done) this.draw();
    return done;
  }

  async decide(decisions, text) {
    if (state.read_only) {
      fail("this viewer was started with --read-only; nothing can be saved", "save");
      return false;
    }
    const result = await save("decide", { decisions });
    if (!result) return false;
    taken.push({ ids: result.decisions.map((decision) => decision.id), text });
    toastSaved(text, result.causes, { text: "undo (U)", run: () => this.undoLast() });
    await changed();
    return true;
  }

  async undo(ids, text = "taken back") {
    const result = await save("undo", { ids });
    if (!result) return false;
    const index = taken.findLastIndex((each) => each.ids.join() === ids.join());
    if (index >= 0) taken.splice(index, 1);
    toast(text);
    await changed();
    return true;
  }

  async undoLast() {
    const last = taken.pop();
    if (last && !(await this.undo(last.ids, `taken back: ${last.text}`))) taken.push(last);
    if (!last) toast("nothing was decided here that could be taken back; older decisions have an undo of their own");
  }

  keys() {
    ofPage([
      "Frames",
      { keys: [" "], text: "play or pause", run: () => this.toggle() },
      { keys: ["ArrowLeft"], text: "a frame back", run: () => this.step(-1) },
      { keys: ["ArrowRight"], text: "a frame on", run: () => this.step(1) },
      { keys: ["Shift+ArrowLeft"], text: "ten frames back", run: () => this.step(-10) },
      { keys: ["Shift+ArrowRight"], text: "ten frames on", run: () => this.step(10) },
      { keys: ["Home"], text: "first frame", run: () => this.seek(this.data.first) },
      { keys: ["End"], text: "last frame", run: () => this.seek(this.data.last) },
      { keys: [","], text: "slower", run: () => this.faster(-1) },
      { keys: ["."], text: "faster", run: () => this.faster(1) },
      { keys: ["c"], text: "crop", run: () => this.flip("crop") },
      { keys: ["l"], text: "landmarks", run: () => this.flip("landmarks") },
      { keys: ["r"], text: "regions and their motion", run: () => this.flip("regions") },
      { keys: ["f"], text: "the face only", run: () => this.flip("face") },
      { keys: ["g"], text: "magnified motion", run: () => this.setFactor(this.factor ? 0 : 4) },
      "Expressions",
      ...BOUNDS.map((name, index) => ({ keys: [String(index + 1)], text: `to the ${name}`, run: () => this.jump(name) })),
      { keys: ["["], text: "expression before", run: () => this.neighbour(-1) },
      { keys: ["]"], text: "next expression", run: () => this.neighbour(1) },
      ...["q", "w", "e"].map((key, index) => ({ keys: [key], text: `correct: the ${BOUNDS[index]} is this frame`, run: () => this.here(BOUNDS[index]) })),
      "Doubts",
      { keys: ["n"], text: "next doubt", run: () => this.nextDoubt() },
      { keys: ["Shift+n"], text: "next undecided video", run: () => this.nextVideo() },
      { keys: ["ArrowDown", "j"], text: "next finding", run: () => this.panel.move(1) },
      { keys: ["ArrowUp", "k"], text: "finding before", run: () => this.panel.move(-1) },
      { keys: ["a"], text: "accept the finding as it is", run: () => this.panel.accept() },
      { keys: ["x"], text: "exclude the row (the expression)", run: () => this.panel.excludeRow() },
      { keys: ["Shift+x"], text: "exclude the whole video", run: () => this.panel.excludeVideo() },
      { keys: ["m"], text: "write a note", run: () => this.panel.writeNote() },
      { keys: ["u"], text: "undo", run: () => this.undoLast() },
      "Timeline and panels",
      { keys: ["+", "="], text: "nearer", run: () => this.timeline.zoom(0.5) },
      { keys: ["-"], text: "farther", run: () => this.timeline.zoom(2) },
      { keys: ["0"], text: "the whole video", run: () => this.timeline.whole() },
      { keys: ["z"], text: "the expression chosen", run: () => this.nearExpression() },
      { keys: ["s"], text: "next panel: findings, expressions, compare", run: () => this.panel.nextTab() },
      { keys: ["Escape"], text: "leave a field, or back to the videos", run: () => {
        if (document.activeElement && document.activeElement !== document.body && document.activeElement.closest("input, select, textarea")) document.activeElement.blur();
        else location.hash = "#/videos";
      } },
    ]);
  }
}
