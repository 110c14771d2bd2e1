// The one WebSocket of this tab: opened, listened to, and opened again when it is lost.

import { signal } from "./vendor/signals.js";
import { redraw } from "./chart.js";
import { VERSION } from "./frame.js";
import { hear, take } from "./plant.js";

/** How the connection is: opening, live, lost, or old (the program is newer than this page). */
export const link = signal("opening");

/** @type {WebSocket | null} */
let socket = null;
let wait = 500;

export function open() {
  const where = new URL("/ws", location.href);
  where.protocol = where.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(where);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return listen(data);
    take(data);
    redraw();
  };
  socket.onclose = () => {
    if (link.value === "old") return;
    link.value = "lost";
    setTimeout(open, wait * (0.8 + 0.4 * Math.random()));
    wait = Math.min(wait * 1.6, 5000);
  };
}

/**
 * Ask for one machine's history, drawn in so many stretches of time.
 * @param {string} device
 * @param {number} stretches
 */
export function wish(device, stretches) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ device, stretches }));
}

/**
 * Mark an alarm as seen. Answers with what went wrong, or an empty text.
 * @param {number} id
 */
export async function acknowledge(id) {
  try {
    const answer = await fetch(`/api/v1/events/${id}/acknowledge`, { method: "POST" });
    if (answer.ok) return "";
    const { error } = await answer.json();
    return `${error.sentence} ${error.fix}`;
  } catch {
    return "The program does not answer. Is it still running?";
  }
}

/**
 * Say what an alarm was. Answers with what came of it, in words, and whether it went well.
 * @param {number} id
 * @param {string} verdict
 * @param {string} name
 * @param {boolean} everywhere
 */
export async function feedback(id, verdict, name, everywhere) {
  const said = new URLSearchParams({ verdict, name, everywhere: everywhere ? "yes" : "" });
  try {
    const answer = await fetch(`/api/v1/events/${id}/feedback?${said}`, { method: "POST" });
    const body = await answer.json();
    return answer.ok ? { good: true, words: body.words } : { good: false, words: `${body.error.sentence} ${body.error.fix}` };
  } catch {
    return { good: false, words: "The program does not answer. Is it still running?" };
  }
}

/** @param {string} text */
function listen(text) {
  const first = text.startsWith('{"type":"hello"');
  if (first && JSON.parse(text).frame_version !== VERSION) {
    link.value = "old";
    socket?.close();
    return;
  }
  hear(text);
  if (first) {
    link.value = "live";
    wait = 500;
  }
}
