import { fail } from "./dom.js";

const GONE = "the program that serves this page is not running any more; start it again, what was saved is not lost";

async function answer(address, request) {
  let response;
  try {
    response = await fetch(address, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(GONE);
  }
  if (!response.ok) throw new Error(await response.text());
  return response;
}

export async function get(address, query = {}, signal = undefined) {
  const parts = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(parts).toString();
  return answer(text ? `${address}?${text}` : address, { signal });
}

export async function getJson(address, query, signal) {
  return (await get(address, query, signal)).json();
}

export async function post(address, body) {
  const headers = { "Content-Type": "application/json" };
  return (await answer(address, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

let waiting = Promise.resolve(); // one decision after the other, in the order they were taken
let wishes = 0;
let seen = 0; // the last wish before somebody could see the latest failure

/**
 * Save decisions; nothing is shown as saved before the server has said that it is on disk. A failure stays in view until
 * something is saved that was wished for after it had been shown.
 */
export function save(address, body) {
  const mine = ++wishes;
  const saved = waiting.then(async () => {
    try {
      const result = await post(address, body);
      if (mine > seen) fail("", "save");
      return result;
    } catch (error) {
      seen = wishes;
      fail(`not saved: ${error.message}`, "save");
      return null;
    }
  });
  waiting = saved;
  return saved;
}
