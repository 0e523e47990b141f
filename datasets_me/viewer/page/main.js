import { $, el, fail, plural } from "./dom.js";
import { getJson } from "./net.js";
import { always, ofPage, showHelp } from "./keys.js";
import { theme } from "./theme.js";
import * as videos from "./videos.js";
import * as video from "./video.js";
import * as findings from "./findings.js";

const PAGES = { videos, video, findings };
const EVERY = 1000; // ms between looks for what others decided

export let state = null;
let current = null;
let asked = 0;
let shown = 0;

async function refresh() {
  const mine = ++asked;
  const answer = await getJson("state");
  if (mine < shown) return; // an older answer that came late
  shown = mine;
  state = answer;
  document.title = `${state.dataset} · me-datasets`;
  $("dataset").textContent = state.title;
  const left = state.counts.open;
  $("left").textContent = left
    ? `${plural(left, "doubt")} left in ${plural(state.counts.open_videos, "video")}`
    : "no doubt is left";
  if (state.read_only) $("left").append(" · ", el("strong", {}, "read-only"));
  const { unfit } = state;
  if (unfit) {
    const text = `${plural(unfit, "decision")} ${unfit === 1 ? "does" : "do"} not fit the workbook any more`;
    $("left").append(" · ", el("a", { href: "#/findings?code=ME132" }, el("strong", {}, text)));
  }
  if (state.looking) $("left").append(` · ${state.looking}`);
}

/** Look again at what is shown: something was decided, here or in another browser. */
export async function changed() {
  try {
    await refresh();
    await current?.update();
    fail("", "update");
  } catch (error) {
    fail(error.message, "update");
  }
}

/** Whether what is shown is of another revision than the server's. */
function isOld(revision) {
  return state && (state.revision !== revision || (current && current.revision !== revision));
}

async function poll() {
  try {
    if (!document.hidden && isOld((await getJson("revision")).revision)) await changed();
    fail("", "server");
  } catch (error) {
    fail(error.message, "server");
  }
  setTimeout(poll, EVERY);
}

async function route() {
  const [path, query] = location.hash.slice(1).split("?");
  const [, name = "videos", ...rest] = path.split("/");
  const page = PAGES[name] ?? videos;
  current?.leave?.();
  current = null;
  ofPage([]);
  for (const link of document.querySelectorAll("nav a")) {
    const on = link.dataset.page === (name === "video" ? "videos" : name || "videos");
    if (on) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    if (!state) await refresh();
    current = await page.open($("content"), rest, new URLSearchParams(query ?? ""));
    fail("", "page");
  } catch (error) {
    fail(error.message, "page");
  }
}

let routing = Promise.resolve(); // one page after the other: a slow answer must not draw over a later page
let wanted = 0;

function goOn() {
  const mine = ++wanted;
  routing = routing.then(() => (mine === wanted ? route() : null));
  return routing;
}

const otherTheme = theme(() => current?.redraw?.());

always(
  { keys: ["?"], text: "this list", run: showHelp },
  { keys: ["t"], text: "dark or light", run: otherTheme },
  { keys: ["Shift+v"], text: "videos", run: () => { location.hash = "#/videos"; } },
  { keys: ["Shift+f"], text: "findings", run: () => { location.hash = "#/findings"; } },
);
$("help").onclick = showHelp;
document.querySelector(".skip").onclick = (event) => { // its address would be taken for that of a page
  event.preventDefault();
  $("content").focus();
};
addEventListener("hashchange", goOn);
goOn().then(poll);
