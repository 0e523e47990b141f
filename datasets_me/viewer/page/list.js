import { $, el, fail, number } from "./dom.js";
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
    this.rows = []; // no key opens a line that is not in view yet
    this.place = el("div", { id: "rows" }, el("p", { class: "empty waiting", role: "status" }, "loading…"));
    const bar = el("div", { class: "filters", role: "search" }, filters, el("span", { class: "space" }), this.pager());
    content.replaceChildren(el("div", { class: "list" }, el("h1", { class: "skip" }, title), bar, between, this.place));
  }

  pager() {
    const button = (id, text, sign, pages) => el("button", { id, type: "button", "aria-label": text, title: text, onclick: () => this.turn(pages) }, sign);
    const from = el("input", { id: "from", class: "number", type: "number", min: 1, step: 1, "aria-label": "go to line (G)", title: "go to line (G)",
      onchange: () => { from.blur(); this.goTo(Number(from.value) - 1); } });
    return el("div", { class: "pager" },
      button("back", "page before (PageUp)", "‹", -1), from,
      el("span", { id: "place", class: "number", role: "status" }),
      button("next", "next page (PageDown)", "›", 1));
  }

  /** A filter: a field to search in, or a choice. */
  field(text, name, control) {
    const searches = control.type === "search";
    control.id = `filter-${name}`;
    control.addEventListener(searches ? "input" : "change", () => {
      this.query[name] = control.value;
      this.restart();
    });
    return el("label", { class: searches ? "wide" : "" }, text, control);
  }

  /** Show the lines from `start` on; the line `chosen` of them is chosen, or else the one that was. */
  async load(chosen = null) {
    const mine = ++this.latest;
    const { place } = this;
    let result;
    try {
      result = await getJson(this.path, { ...this.query, start: this.start, count: AT_ONCE });
      fail("", "list");
    } catch (error) {
      fail(error.message, "list");
      return;
    }
    if (mine !== this.latest || !place.isConnected) return;
    const before = this.rows[this.chosen]?.number;
    const { rows, total, revision } = result;
    Object.assign(this, { rows, total, revision });
    if (this.start && this.start >= this.total) {
      this.start = Math.max(0, Math.floor((this.total - 1) / AT_ONCE) * AT_ONCE);
      await this.load(chosen);
      return;
    }
    place.replaceChildren(this.draw());
    const last = this.start + this.rows.length;
    const from = $("from");
    if (document.activeElement !== from) from.value = this.total ? this.start + 1 : "";
    from.max = this.total;
    $("place").textContent = this.total ? `to ${number(last)} of ${number(this.total)}` : "0";
    $("back").disabled = this.start === 0;
    $("next").disabled = last >= this.total;
    const again = rows.findIndex((row) => row.number === before); // lines move when somebody else decides
    this.choose(Math.min(chosen ?? (again < 0 ? this.chosen : again), rows.length - 1), false);
  }

  restart() {
    this.start = 0;
    return this.load(0);
  }

  async turn(pages) {
    if (pages < 0 && this.start > 0) await this.goTo(Math.max(0, this.start - AT_ONCE));
    else if (pages > 0 && this.start + AT_ONCE < this.total) await this.goTo(this.start + AT_ONCE);
  }

  async goTo(line) {
    if (!Number.isInteger(line) || !this.total) return;
    this.start = Math.min(Math.max(0, line), this.total - 1);
    await this.load(0);
    $("content").scrollTop = 0;
  }

  /** The keys that all lists have; ``noun`` is what a line shows. */
  keys(noun) {
    return [
      { keys: ["ArrowDown", "j"], text: `next ${noun}`, run: () => this.step(1) },
      { keys: ["ArrowUp", "k"], text: `${noun} before`, run: () => this.step(-1) },
      { keys: ["PageDown"], text: "next page", run: () => this.turn(1) },
      { keys: ["PageUp"], text: "page before", run: () => this.turn(-1) },
      { keys: ["Home"], text: "to the first line", run: () => this.goTo(0) },
      { keys: ["End"], text: "to the last page", run: () => this.goTo(Math.max(0, this.total - AT_ONCE)) },
      { keys: ["g"], text: "go to a line", run: () => { $("from").focus(); $("from").select(); } },
      { keys: ["/"], text: "search; Esc leaves the field", run: () => $("filter-search").focus() },
    ];
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
