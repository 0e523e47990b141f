import { get } from "./net.js";

const ROOM = 160 << 20; // bytes of decoded pictures that are kept
const AHEAD = 24; // frames that are asked for before they are shown
const AT_ONCE = 6;
const HERTZ = 60; // of a screen: at most so many frames a second are worth showing

/** Shows frames of one video by number, keeps those shown last, and asks for the next ones ahead. */
export class Player {
  constructor({ first, last, fps, lacking, no_frames: nothing, address, onframe, onstate }) {
    Object.assign(this, { first, last, fps, lacking, nothing, address, onframe, onstate });
    this.current = first;
    this.speed = 1;
    this.playing = false;
    this.pictures = new Map(); // number -> {bitmap, name} or {why}
    this.flying = new Map(); // number -> AbortController
    this.wanted = [];
    this.size = 1;
    this.variant = "";
  }

  get stride() {
    return Math.max(1, Math.floor((this.fps * this.speed) / HERTZ));
  }

  picture(number = this.current) {
    return this.pictures.get(number);
  }

  /** Pictures of another kind (magnified, say): those that are kept are forgotten. */
  vary(variant) {
    if (variant === this.variant) return;
    this.variant = variant;
    for (const controller of this.flying.values()) controller.abort();
    this.flying.clear();
    this.pictures.clear();
    this.show(this.current);
  }

  show(number) {
    this.current = Math.min(this.last, Math.max(this.first, Math.round(number)));
    if (this.picture()?.why) this.pictures.delete(this.current); // it may be there by now
    this.ask();
    this.onframe();
  }

  play() {
    if (this.playing || this.nothing || this.first === this.last) return;
    if (this.current >= this.last) this.show(this.first);
    this.playing = true;
    this.since = performance.now();
    this.from = this.current;
    this.onstate();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
    this.onstate();
  }

  setSpeed(speed) {
    this.speed = speed;
    this.since = performance.now();
    this.from = this.current;
    this.onstate();
  }

  tick(now) {
    if (!this.playing) return;
    const { stride } = this;
    const due = this.from + Math.floor((((now - this.since) / 1000) * this.fps * this.speed) / stride) * stride;
    let next = this.current;
    while (next + stride <= Math.min(due, this.last) && this.pictures.has(next + stride)) next += stride;
    if (next < due) { // the picture is not here yet: time stands still until it is, rather than running away
      this.from = next;
      this.since = now;
    }
    if (next !== this.current) {
      this.current = next;
      this.onframe();
    }
    this.ask();
    if (this.current + stride > this.last) this.pause();
    else requestAnimationFrame((time) => this.tick(time));
  }

  ask() {
    if (this.nothing) return;
    const { stride } = this.playing ? this : { stride: 1 };
    const numbers = [this.current];
    const more = this.playing ? AHEAD : this.pictures.has(this.current) ? 6 : 0; // what is looked at comes first
    for (let step = 1; step <= more; step += 1) {
      numbers.push(this.current + step * stride);
      if (!this.playing && step <= 2) numbers.push(this.current - step);
    }
    this.wanted = numbers.filter((number) => number >= this.first && number <= this.last && !this.pictures.has(number));
    for (const [number, controller] of this.flying) {
      if (!numbers.includes(number)) {
        controller.abort();
        this.flying.delete(number);
      }
    }
    this.fetchMore();
  }

  fetchMore() {
    while (this.flying.size < AT_ONCE) {
      const number = this.wanted.find((each) => !this.flying.has(each) && !this.pictures.has(each));
      if (number === undefined) return;
      const controller = new AbortController();
      this.flying.set(number, controller);
      this.fetchOne(number, controller, this.variant);
    }
  }

  async fetchOne(number, controller, variant) {
    let picture;
    try {
      if (this.lacking.some(([from, to]) => from <= number && number <= to)) throw new Error(`there is no file of frame ${number}`);
      const { address, query } = this.address(number);
      const response = await get(address, query, controller.signal);
      const name = decodeURIComponent(response.headers.get("X-Frame-Name") ?? "");
      picture = { bitmap: await createImageBitmap(await response.blob()), name };
    } catch (error) {
      if (error.name === "AbortError") return;
      picture = { why: error.message };
    }
    if (this.flying.get(number) === controller) this.flying.delete(number);
    if (variant !== this.variant) {
      picture.bitmap?.close();
      return;
    }
    this.keep(number, picture);
    if (number === this.current) {
      this.onframe();
      if (!this.playing) this.ask();
    }
    this.fetchMore();
  }

  keep(number, picture) {
    this.pictures.set(number, picture);
    const bytes = picture.bitmap ? picture.bitmap.width * picture.bitmap.height * 4 : 1000;
    const most = Math.max(2 * AHEAD, Math.floor(ROOM / bytes));
    while (this.pictures.size > most) {
      const farthest = [...this.pictures.keys()].reduce((a, b) =>
        (Math.abs(a - this.current) > Math.abs(b - this.current) ? a : b));
      this.pictures.get(farthest).bitmap?.close();
      this.pictures.delete(farthest);
    }
  }

  close() {
    this.playing = false;
    this.variant = null; // pictures that are still on their way are not kept
    for (const controller of this.flying.values()) controller.abort();
    for (const picture of this.pictures.values()) picture.bitmap?.close();
    this.pictures.clear();
    this.wanted = [];
  }
}
