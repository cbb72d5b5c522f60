// The farm's events (server-sent, over fetch: EventSource cannot send the token).
// Calls `happened(kind)` for each; `state.told` says whether the stream is there.

import { token } from "/static/token.js";

const AGAIN_MS = 5000;

export const state = { told: false };

// Follows until `signal` is aborted; a stream that breaks is opened again.
export async function follow(happened, signal) {
  while (!signal.aborted) {
    try {
      await read(happened, signal);
    } catch {
      // Nobody answers, or the stream broke: the page asks by itself meanwhile.
    }
    state.told = false;
    await new Promise((wake) => setTimeout(wake, AGAIN_MS));
  }
}

async function read(happened, signal) {
  const headers = { Authorization: `Bearer ${token.get()}` };
  const answer = await fetch("/api/v1/live", { headers, signal });
  if (!answer.ok) return;
  state.told = true;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("event: ")) happened(line.slice("event: ".length));
    }
  }
}
