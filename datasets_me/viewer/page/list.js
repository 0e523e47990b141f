import { $, el, number } from "./dom.js";
import { getJson } from "./net.js";

const AT_ONCE = 50;

/** A table in pages, of which one line is chosen: what the lists of videos and of findings have in common. */
export class PagedList {
  /** `path` gives the rows that fit `query`; `draw` makes the table of `rows` in `place`. */
  constructor(path, query, draw) {
    Object.assign(this, { path, query, draw, rows: [], total: 0, start: 0, chosen: 0, latest: 0 });
  }

  /** The list is shown: filters, with the buttons that turn pages, over the table. */
  show(content, title, filters, ...between) {
    this.place = el("div", { id: "rows" });
    const bar = el("div", { class: "filters", role: "search" }, filters, el("span", { class: "space" }), this.pager());
    content.replaceChildren(el("div", { class: "list" }, el("h1", { class: "skip" }, title), bar, between, this.place));
  }

  pager() {
    const button = (id, text, sign, pages) => el("button", { id, type: "button", "aria-label": text, title: text, onclick: () => this.turn(pages) }, sign);
    return el("div", { class: "pager" },
      button("back", "page before (PageUp)", "‹", -1),
      el("span", { id: "place", class: "number", role: "status" }),
      button("next", "next page (PageDown)", "›", 1));
  }

  /** A filter: a field to search in, or a choice. */
  field(text, name, control) {
    const searches = control.type === "search";
    control.id = `filter-${name}`;
    control.addEventListener(searches ? "input" : "change", () => {
      this.query[name] = control.value;
      this.chosen = 0;
      this.restart();
    });
    return el("label", { class: searches ? "wide" : "" }, text, control);
  }

  async load() {
    const mine = ++this.latest;
    const { place } = this;
    const result = await getJson(this.path, { ...this.query, start: this.start, count: AT_ONCE });
    if (mine !== this.latest || !place.isConnected) return;
    this.rows = result.rows;
    this.total = result.total;
    if (this.start && this.start >= this.total) {
      this.start = Math.max(0, Math.floor((this.total - 1) / AT_ONCE) * AT_ONCE);
      await this.load();
      return;
    }
    place.replaceChildren(this.draw());
    const last = this.start + this.rows.length;
    $("place").textContent = this.total ? `${number(this.start + 1)}–${number(last)} of ${number(this.total)}` : "0";
    $("back").disabled = this.start === 0;
    $("next").disabled = last >= this.total;
    this.choose(Math.min(this.chosen, this.rows.length - 1), false);
  }

  restart() {
    this.start = 0;
    return this.load();
  }

  async turn(pages) {
    const wanted = this.start + pages * AT_ONCE;
    if (wanted < 0 || wanted >= this.total) return;
    this.start = wanted;
    this.chosen = 0;
    await this.load();
    $("content").scrollTop = 0;
  }

  choose(index, scroll = true) {
    this.chosen = Math.max(0, index);
    const lines = this.place.querySelectorAll("tbody tr");
    lines.forEach((each, place) => each.classList.toggle("chosen", place === this.chosen));
    if (scroll) lines[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  /** Choose the line so many further. */
  step(lines) {
    this.choose(Math.min(this.chosen + lines, this.rows.length - 1));
  }
}

/** A table with a heading for each column. */
export function table(label, attributes, head, lines) {
  return el("table", { ...attributes, "aria-label": label },
    el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, lines));
}
