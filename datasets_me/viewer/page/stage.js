import { getJson } from "./net.js";

const BLOCK = 64; // frames whose landmarks are asked for at once
const ARROW = 12; // how much longer than the motion an arrow is drawn
// the 68 landmarks as lines: jaw, brows, nose, eyes, mouth
const LINES = [[0, 16], [17, 21], [22, 26], [27, 30], [30, 35], [36, 41, 36], [42, 47, 42], [48, 59, 48], [60, 67, 60]];

/** Draws a frame, and on demand its crop, landmarks, and regions with their motion. */
export class Stage {
  constructor(canvas, data) {
    Object.assign(this, { canvas, data, shows: { crop: false, landmarks: false, regions: false, face: false } });
    this.blocks = new Map();
  }

  get wants() {
    return this.shows.landmarks || this.shows.regions;
  }

  /** The landmarks and motion of a frame if they are here; asks for them otherwise, and calls `then` later. */
  overlay(number, then) {
    if (!this.data.motion) return null;
    const block = Math.floor(number / BLOCK);
    if (!this.blocks.has(block)) {
      this.blocks.set(block, null);
      getJson(`videos/${this.data.number}/overlay`, { first: block * BLOCK, last: (block + 1) * BLOCK - 1 })
        .then((frames) => { this.blocks.set(block, frames); then(); })
        .catch(() => this.blocks.delete(block));
    }
    return this.blocks.get(block)?.[number - block * BLOCK] ?? null;
  }

  draw(picture, number, then) {
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
    const size = [Math.round(wide * ratio), Math.round(high * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, high);
    if (!picture?.bitmap) return;
    const { bitmap } = picture;
    const raw = this.data.width > 4 ? this.data.width : bitmap.width;
    const tall = raw * (bitmap.height / bitmap.width);
    const [x0, y0, x1, y1] = this.shows.face && this.box ? this.box : [0, 0, raw, tall];
    const scale = Math.min(wide / (x1 - x0), high / (y1 - y0));
    const left = (wide - (x1 - x0) * scale) / 2 - x0 * scale;
    const top = (high - (y1 - y0) * scale) / 2 - y0 * scale;
    context.save();
    context.beginPath();
    context.rect(left + x0 * scale, top + y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale);
    context.clip();
    context.drawImage(bitmap, left, top, raw * scale, tall * scale);
    const at = ([x, y]) => [left + x * scale, top + y * scale];
    if (this.shows.crop && this.box) this.drawCrop(context, at);
    if (this.wants) {
      const overlay = this.overlay(number, then);
      if (overlay && this.shows.landmarks) this.drawLandmarks(context, overlay, at);
      if (overlay && this.shows.regions) this.drawRegions(context, overlay, at, scale);
    }
    context.restore();
  }

  get box() {
    const box = this.data.motion?.box;
    return box?.length === 4 ? box : null;
  }

  drawCrop(context, at) {
    const [x0, y0, x1, y1] = this.box;
    const [left, top] = at([x0, y0]);
    const [right, bottom] = at([x1, y1]);
    context.lineWidth = 2;
    context.strokeStyle = "#ffd54a";
    context.strokeRect(left + 1, top + 1, right - left - 2, bottom - top - 2);
  }

  drawLandmarks(context, overlay, at) {
    context.lineWidth = 1;
    context.strokeStyle = "#ffffff99";
    for (const [from, to, back] of LINES) {
      context.beginPath();
      for (let index = from; index <= to; index += 1) context.lineTo(...at(overlay.points[index]));
      if (back !== undefined) context.lineTo(...at(overlay.points[back]));
      context.stroke();
    }
    const doubtful = (overlay.quality & 2) > 0;
    context.fillStyle = doubtful ? "#ff8a80" : "#7ff0c0";
    for (const point of overlay.points) {
      const [x, y] = at(point);
      context.fillRect(x - 1.5, y - 1.5, 3, 3);
    }
  }

  drawRegions(context, overlay, at, scale) {
    overlay.centres.forEach((centre, index) => {
      const [x, y] = at(centre);
      const vector = overlay.vectors[index];
      const good = !overlay.valid || overlay.valid[index];
      context.strokeStyle = good ? "#ffd54a" : "#ff8a80";
      context.setLineDash(good ? [] : [3, 3]);
      context.lineWidth = 1.5;
      const half = Math.max(5, 5 * scale);
      context.strokeRect(x - half, y - half, 2 * half, 2 * half);
      context.setLineDash([]);
      if (vector) arrow(context, x, y, x + vector[0] * ARROW * scale, y + vector[1] * ARROW * scale);
    });
  }
}

function arrow(context, x0, y0, x1, y1) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 3) return;
  for (const [colour, width] of [["#000a", 5], ["#4fd3ff", 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    const angle = Math.atan2(y1 - y0, x1 - x0);
    const head = Math.min(9, length / 2);
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.lineTo(x1 - head * Math.cos(angle - 0.5), y1 - head * Math.sin(angle - 0.5));
    context.moveTo(x1, y1);
    context.lineTo(x1 - head * Math.cos(angle + 0.5), y1 - head * Math.sin(angle + 0.5));
    context.stroke();
  }
}
