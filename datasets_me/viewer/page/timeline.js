import { el, fail } from "./dom.js";
import { get } from "./net.js";

const LANE = 15; // px, the height of a curve
const RULER = 18;
const ROW = 17; // px, the height of a prediction where several share frames
const ROWS = 3;
const LEAST = 0.1; // px a frame; smaller motion is noise and is not blown up
const DOUBTS = {
  missing: "no picture", no_face: "no face of its own", clipped: "cut at the edge of the crop", invalid: "motion not believed",
};
const BOUNDS = ["onset", "apex", "offset"];

/** The annotated expressions, predictions, doubtful frames and curves of a video, over its frames. */
export class Timeline {
  /** `seek(frame)`, `choose(annotation)` and `correct(annotation, column, frame)` are called by the mouse, `scaled(px)` by the curves. */
  constructor(root, data, { seek, choose, correct, editable, scaled }) {
    Object.assign(this, { root, data, seek, choose, correct, editable, scaled });
    this.view = [data.first, Math.max(data.last, data.first + 1)];
    this.frame = data.first;
    this.chosen = null;
    this.curves = null;
    this.build();
  }

  build() {
    const lane = (text, thin) => {
      const track = el("div", { class: "track" });
      this.root.append(el("div", { class: thin ? "lane thin" : "lane" }, el("span", { class: "label" }, text), track));
      return track;
    };
    this.ruler = el("canvas", { height: RULER });
    this.root.append(this.ruler);
    this.truth = lane("annotated");
    this.predicted = this.data.predictions.length ? lane("predicted") : null;
    this.doubts = lane("in doubt", true);
    this.canvas = el("canvas", { role: "img", "aria-label": "motion of the regions in x and y, over the frames" });
    if (this.data.motion) this.root.append(this.canvas);
    this.play = el("div", { class: "play" });
    this.root.append(this.play);
    for (const surface of [this.ruler, this.canvas, this.truth, this.doubts]) this.scrubs(surface);
    this.root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.measure();
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.root);
  }

  close() {
    this.resizing.disconnect();
  }

  /** Where the tracks begin and how wide they are, in px. */
  measure() {
    this.left = parseFloat(getComputedStyle(this.truth).left);
    this.width = Math.max(1, this.root.clientWidth - this.left);
  }

  /** Where a frame begins, in px from the beginning of the tracks. */
  x(frame) {
    const [a, b] = this.view;
    return ((frame - a) / (b - a + 1)) * this.width;
  }

  frameAt(clientX) {
    const [a, b] = this.view;
    const x = clientX - this.root.getBoundingClientRect().left - this.left;
    return Math.floor(a + (x / this.width) * (b - a + 1));
  }

  scrubs(surface) {
    surface.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest(".handle, .span")) return;
      surface.setPointerCapture(event.pointerId);
      this.seek(this.frameAt(event.clientX));
      surface.onpointermove = (move) => this.seek(this.frameAt(move.clientX));
    });
    for (const end of ["pointerup", "pointercancel"]) surface.addEventListener(end, () => { surface.onpointermove = null; });
  }

  wheel(event) {
    const wide = matchMedia("(min-width: 1001px)").matches;
    if (!wide && !event.ctrlKey) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / this.width);
    else this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.frameAt(event.clientX));
  }

  zoom(factor, around = this.frame) {
    const [a, b] = this.view;
    const { first, last } = this.data;
    const count = Math.min(last - first + 1, Math.max(12, (b - a + 1) * factor));
    const from = around - ((around - a) / (b - a + 1)) * count;
    this.look(from, count);
  }

  pan(share) {
    const [a, b] = this.view;
    this.look(a + share * (b - a + 1), b - a + 1);
  }

  whole() {
    this.look(this.data.first, this.data.last - this.data.first + 1);
  }

  look(from, count) {
    const { first, last } = this.data;
    const start = Math.max(first, Math.min(Math.round(from), last - Math.round(count) + 1));
    this.view = [start, Math.max(start + 1, Math.min(last, start + Math.round(count) - 1))];
    this.draw();
  }

  /** Move the play head; a view that no longer shows it follows. */
  at(frame) {
    this.frame = frame;
    const [a, b] = this.view;
    if (frame < a || frame > b) this.look(frame - (b - a + 1) * (frame > b ? 0.1 : 0.9), b - a + 1);
    this.movePlay();
  }

  movePlay() {
    const [a, b] = this.view;
    this.play.style.left = `${this.left + this.x(this.frame) + this.width / (b - a + 1) / 2}px`;
  }

  update(data, chosen) {
    this.data = data;
    this.chosen = chosen;
    this.draw();
  }

  /** Another expression is chosen; all else stays as it is drawn. */
  mark(chosen) {
    this.chosen = chosen;
    this.drawTruth();
  }

  draw() {
    if (!this.root.isConnected) return;
    this.measure();
    this.drawRuler();
    this.drawTruth();
    this.drawPredicted();
    this.drawDoubts();
    this.drawCurves();
    this.fetchCurves();
    this.movePlay();
  }

  place(node, from, to) {
    node.style.left = `${this.x(from)}px`;
    node.style.width = `${Math.max(3, this.x(to + 1) - this.x(from))}px`;
    return node;
  }

  drawRuler() {
    const context = sized(this.ruler, this.root.clientWidth, RULER);
    const style = getComputedStyle(this.root);
    context.fillStyle = style.getPropertyValue("--soft");
    context.font = "10px system-ui, sans-serif";
    const [a, b] = this.view;
    const rough = ((b - a + 1) * 70) / this.width;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? 10 * power;
    for (let frame = Math.ceil(a / step) * step; frame <= b; frame += step) {
      const x = this.left + this.x(frame);
      context.fillRect(x, RULER - 4, 1, 4);
      context.fillText(frame, x + 3, 11);
    }
    context.fillText("frame", 4, 11);
  }

  drawTruth() {
    if (this.dragging) return;
    this.truth.replaceChildren(...this.data.annotations.flatMap((row) => this.spans(row)));
  }

  spans(row) {
    const { onset, apex, offset } = row.frames;
    const known = [onset, apex, offset].filter((frame) => frame !== null);
    if (!known.length) return [];
    const [from, to] = [Math.min(...known), Math.max(...known)];
    const open = onset === null || offset === null;
    const classes = ["span", row.values.type, row.id === this.chosen ? "chosen" : "", row.excluded ? "excluded" : "", open ? "open-end" : ""];
    const text = [row.values.type, row.values.emotion].filter(Boolean).join(" · ");
    const span = this.place(el("div", { class: classes.join(" "), title: hover(row), "data-annotation": row.id,
      onclick: () => this.choose(row) }, el("b", {}, text)), from, to);
    const handles = BOUNDS.filter((name) => row.frames[name] !== null).map((name) => this.handle(row, name));
    return [span, ...handles];
  }

  handle(row, name) {
    const frame = row.frames[name];
    const node = el("div", {
      class: `handle ${name} ${row.corrected[name] ? "edited" : ""}`,
      title: `${name} ${row.values[name]}: ${this.editable ? "drag to correct" : ""}\n${raw(row, name)}`,
      "data-handle": `${row.id} ${name}`,
    });
    node.style.color = `var(--${row.values.type})`;
    const put = (at) => { node.style.left = `${this.x(at) + (name === "onset" ? 0 : this.x(at + 1) - this.x(at)) * (name === "apex" ? 0.5 : 1)}px`; };
    put(frame);
    if (this.editable) node.addEventListener("pointerdown", (event) => this.drag(event, node, row, name, put));
    return node;
  }

  drag(event, node, row, name, put) {
    event.preventDefault();
    event.stopPropagation();
    node.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.choose(row, true);
    const offset = event.clientX - (this.root.getBoundingClientRect().left + this.left + parseFloat(node.style.left));
    const { step } = this.data;
    let frame = row.frames[name];
    node.onpointermove = (move) => {
      const shift = name === "offset" ? -0.5 : name === "onset" ? 0.5 : 0; // the edge lies between two frames
      const [a, b] = this.view;
      const one = this.width / (b - a + 1);
      const wanted = this.frameAt(move.clientX - offset + shift * one);
      frame = Math.floor(Math.max(0, Math.round(Math.min(this.data.last, Math.max(this.data.first, wanted)) / step)) * step);
      put(frame);
      this.seek(frame);
    };
    const end = (save) => {
      node.onpointermove = null;
      this.dragging = false;
      if (save && frame !== row.frames[name]) this.correct(row, name, Math.round(frame / step));
      else this.drawTruth();
    };
    node.onpointerup = () => end(true);
    node.onpointercancel = () => end(false);
  }

  drawPredicted() {
    if (!this.predicted) return;
    const [stack, rows] = stacked(this.data.predictions);
    this.predicted.parentNode.style.height = rows > 1 ? `${4 + ROW * rows}px` : "";
    this.predicted.replaceChildren(...stack.map(([each, row]) => {
      const span = this.place(el("div", {
        class: `span ${each.type} ${each.hit ? "" : "miss"} ${rows > 1 ? "low" : ""}`,
        title: `predicted ${each.type === "overall" ? "" : each.type} ${each.onset} to ${each.offset}: ${each.hit ? "hits an annotation" : "hits no annotation"}`,
      }, el("b", {}, each.hit ? "hit" : "miss")), each.onset, each.offset);
      if (rows > 1) {
        span.style.top = `${3 + ROW * row}px`;
        span.style.bottom = `${3 + ROW * (rows - 1 - row)}px`;
      }
      return span;
    }));
  }

  drawDoubts() {
    const ranges = Object.entries(this.data.doubtful_frames).flatMap(([kind, list]) => list.map((range) => [kind, ...range]));
    const lacking = this.data.lacking.map((range) => ["missing", ...range]);
    const order = Object.keys(DOUBTS); // the worst on top
    const marks = [...ranges, ...lacking].sort((a, b) => order.indexOf(b[0]) - order.indexOf(a[0]));
    this.doubts.replaceChildren(...marks.map(([kind, from, to]) => this.place(el("div", {
      class: `mark ${kind}`, title: `${from === to ? `frame ${from}` : `frames ${from} to ${to}`}: ${DOUBTS[kind]}`,
    }), from, to)));
  }

  async fetchCurves() {
    const { motion } = this.data;
    if (!motion) return;
    const range = this.view.map((frame) => Math.floor(frame / motion.step) - motion.start);
    const key = `${range} ${this.width}`;
    if (key === this.asked) return;
    this.asked = key;
    let response;
    let values;
    try {
      response = await get(`videos/${this.data.number}/curves`,
        { first: Math.max(0, range[0] - 1), last: Math.max(0, Math.min(motion.count - 1, range[1] + 1)), bins: Math.round(this.width) });
      values = new Float32Array(await response.arrayBuffer());
      fail("", "curves");
    } catch (error) {
      if (key === this.asked) this.asked = null;
      fail(`the curves could not be read: ${error.message}`, "curves");
      return;
    }
    if (key !== this.asked || !this.root.isConnected) return;
    const header = (name) => Number(response.headers.get(`X-${name}`));
    const limit = Math.max(LEAST, header("Limit"));
    this.scaled(limit);
    this.curves = { values, limit, first: header("First"), per: header("Per"), bins: header("Bins") };
    this.drawCurves();
  }

  drawCurves() {
    const { motion } = this.data;
    if (!motion) return;
    const height = motion.names.length * LANE + 4;
    const context = sized(this.canvas, this.root.clientWidth, height);
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(name);
    context.font = "10px system-ui, sans-serif";
    motion.names.forEach((name, lane) => {
      context.fillStyle = colour("--soft");
      context.fillText(name.replaceAll("_", " "), 4, lane * LANE + 12, this.left - 8);
      context.fillStyle = colour("--line");
      context.fillRect(this.left, lane * LANE + 2 + LANE / 2, this.width, 1);
    });
    context.save();
    context.beginPath();
    context.rect(this.left, 0, this.width, height);
    context.clip();
    for (const row of this.data.annotations) {
      const known = BOUNDS.map((name) => row.frames[name]).filter((frame) => frame !== null);
      if (!known.length || row.excluded) continue;
      context.globalAlpha = 0.12;
      context.fillStyle = colour(`--${row.values.type}`);
      const [from, to] = [Math.min(...known), Math.max(...known) + 1];
      context.fillRect(this.left + this.x(from), 0, this.x(to) - this.x(from), height);
    }
    context.globalAlpha = 1;
    if (this.curves) {
      for (let lane = 0; lane < motion.names.length; lane += 1) {
        this.drawCurve(context, lane, 0, colour("--x-curve"));
        this.drawCurve(context, lane, 1, colour("--y-curve"));
      }
    }
    context.restore();
  }

  drawCurve(context, lane, axis, colour) {
    const { values, first, per, bins } = this.curves;
    const { motion } = this.data;
    const count = motion.names.length;
    const middle = lane * LANE + 2 + LANE / 2;
    const y = (value) => middle + Math.max(-1, Math.min(1, value / this.curves.limit)) * (LANE / 2 - 1);
    context.strokeStyle = colour;
    context.lineWidth = 1.2;
    context.beginPath();
    let broken = true;
    for (let bin = 0; bin < bins; bin += 1) {
      const place = ((bin * count + lane) * 2 + axis) * 2;
      const [low, high] = [values[place], values[place + 1]];
      if (Number.isNaN(low)) {
        broken = true;
        continue;
      }
      const x = this.left + this.x((first + bin * per + motion.start + per / 2) * motion.step);
      if (broken) context.moveTo(x, y(low));
      else context.lineTo(x, y(low));
      if (high !== low) context.lineTo(x, y(high));
      broken = false;
    }
    context.stroke();
  }
}

/** Intervals with the row of each, and how many rows: those that share frames lie below each other, as far as there is room. */
function stacked(intervals) {
  const ends = []; // of the last interval in each row
  const rowOf = new Map();
  for (const each of [...intervals].sort((a, b) => a.onset - b.onset)) {
    const free = ends.findIndex((end) => end < each.onset);
    rowOf.set(each, free < 0 ? ends.length : free);
    ends[rowOf.get(each)] = each.offset;
  }
  return [[...rowOf].map(([each, row]) => [each, row % ROWS]), Math.min(ROWS, ends.length)];
}

/** What the workbook says about a column of a row, with its cell. */
export function raw(row, name) {
  if (!row.cells[name]) return "the workbook has no such column";
  return `workbook: “${row.raw[name] ?? ""}” in ${row.cells[name]}`;
}

function hover(row) {
  const lines = Object.entries(row.values).filter(([name]) => row.cells[name])
    .map(([name, value]) => `${name} ${value ?? "not annotated"} (${raw(row, name)})`);
  const extra = Object.entries(row.extra).map(([name, value]) => `${name}: ${value}`);
  return [`${row.id}${row.excluded ? ", excluded" : ""}`, ...lines, ...extra].join("\n");
}

function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
