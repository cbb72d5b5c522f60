// The status page: asks the REST API when something happened, and every two seconds while nobody
// tells it, and shows what it says.
// Strangers' texts (HELO, addresses) only ever become textContent.

import { follow, state as live } from "/static/live.js";
import { ask, signIn, token } from "/static/token.js";

const PERIOD_MS = 2000;
const TOLD_PERIOD_MS = 5000;
const SOON_MS = 200;
const SPARK_POINTS = 60;
const ROWS = 50;
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const spark = [];
let previous = null;
let timer = 0;
let following = null;
let soon = false;

// ---- texts

const clock = new Intl.DateTimeFormat([], { timeStyle: "medium", hourCycle: "h23" });
const time = (text) => (text ? clock.format(new Date(text)) : "");

function octets(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) {
    count /= 1000;
    at += 1;
  }
  return `${at && count < 100 ? count.toFixed(1) : Math.round(count)} ${units[at]}`;
}

function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

const ago = (text) => (text ? `${span(Date.now() - new Date(text))} ago` : "not yet");
const ends = (text) => (text ? `in ${span(new Date(text) - Date.now())}` : "when removed");

// ---- tables

// Rows are kept by key, so that focus, selection and scrolling survive a refresh.
function fill(id, items, key, cells) {
  const body = byId(id);
  const old = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const titles = [...body.parentElement.tHead.rows[0].cells].map((cell) => cell.textContent);
  items.forEach((item, index) => {
    const name = key(item);
    const row = old.get(name) ?? document.createElement("tr");
    old.delete(name);
    row.dataset.key = name;
    cells(item).forEach((content, column) => {
      const cell = row.cells[column] ?? row.insertCell();
      cell.dataset.label = titles[column];
      put(cell, content);
    });
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  for (const row of old.values()) row.remove();
  const nothing = document.querySelector(`[data-for="${id}"]`);
  nothing.hidden = items.length > 0;
  body.parentElement.hidden = items.length === 0;
}

// A cell is a text, {text, tag, title} or {button, act}.
function put(cell, content) {
  if (content.button) {
    if (!cell.firstChild) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.className = "small";
      cell.append(button);
    }
    cell.firstChild.textContent = content.button;
    cell.firstChild.setAttribute("aria-label", content.label);
    cell.firstChild.onclick = content.act;
    return;
  }
  const { text, tag = "", title = "", number: isNumber = false } =
    typeof content === "object" ? content : { text: content };
  cell.className = isNumber ? "number" : "";
  cell.title = title;
  if (!tag) {
    if (cell.textContent !== text || cell.firstElementChild) cell.textContent = text;
    return;
  }
  if (!cell.firstElementChild) cell.replaceChildren(document.createElement("span"));
  cell.firstElementChild.textContent = text;
  cell.firstElementChild.className = `tag ${tag}`;
}

// ---- the parts of the page

const TONE = {
  clean: "good", release: "good",
  suspect: "warn", unscanned: "warn", defer: "warn",
  infected: "bad", refuse: "bad",
};
const tone = (word) => TONE[word] ?? "neutral";

function showStatus(status) {
  byId("farm").textContent = status.farm;
  const state = byId("state");
  const [word, kind] = !status.ready
    ? ["not ready", "bad"]
    : status.store.there ? ["running", "good"] : ["on its own", "warn"];
  if (state.textContent !== word) state.textContent = word;
  state.className = `pill ${kind}`;
  const alarm = byId("alarm");
  alarm.hidden = status.store.there;
  const why = `Redis is away since ${time(status.store.since)}: each replica limits by itself, ` +
    `locks and rules stay in force, figures are this replica's own. (${status.store.why})`;
  if (!status.store.there && alarm.textContent !== why) alarm.textContent = why;

  const known = (count) => (status.whole_farm ? number.format(count ?? 0) : "–");
  figures([
    ["Sessions now", number.format(status.sessions), ""],
    ["Messages", known(status.messages), ""],
    ["Clean", known(status.verdicts.clean), "good"],
    ["Spam", known(status.verdicts.suspect), "warn"],
    ["Infected", known(status.verdicts.infected), "bad"],
    ["Unscanned", known(status.verdicts.unscanned), "warn"],
    ["Locks", number.format(status.locks), ""],
    ["Identities", number.format(status.identities), ""],
    ["Scanned", status.whole_farm ? octets(status.content_octets) : "–", ""],
  ]);
  showRate(status);
  fill("edges", status.edges, (edge) => edge.edge_id, (edge) => [
    edge.edge_id,
    edge.watching_here ? { text: "connected", tag: "good" } : ago(edge.last_contact_at),
  ]);
  byId("footer").textContent =
    `policy ${status.version} · up ${span(new Date(status.now) - new Date(status.started_at))} · ` +
    `rulebook ${status.rulebook_version}`;
}

function figures(list) {
  const place = byId("figures");
  list.forEach(([name, value, kind], index) => {
    if (!place.children[index]) {
      const figure = document.createElement("div");
      figure.append(document.createElement("dt"), document.createElement("dd"));
      place.append(figure);
    }
    const [title, figure] = place.children[index].children;
    title.textContent = name;
    figure.textContent = value;
    figure.className = kind && value !== "0" && value !== "–" ? kind : "";
  });
}

function showRate(status) {
  const now = { at: new Date(status.now).getTime(), messages: status.messages };
  if (!status.whole_farm) return;
  if (previous && now.at > previous.at) {
    const rate = (1000 * Math.max(0, now.messages - previous.messages)) / (now.at - previous.at);
    spark.push(rate);
    if (spark.length > SPARK_POINTS) spark.shift();
    byId("rate").textContent = rate < 10 ? rate.toFixed(1) : number.format(Math.round(rate));
  }
  previous = now;
  const most = Math.max(1, ...spark);
  const points = spark.map((rate, index) => {
    const x = 600 - (spark.length - 1 - index) * (600 / (SPARK_POINTS - 1));
    return `${x.toFixed(1)},${(76 - (70 * rate) / most).toFixed(1)}`;
  });
  if (!points.length) return;
  byId("spark").querySelector(".spark-line").setAttribute("points", points.join(" "));
  const first = points[0].split(",")[0];
  byId("spark").querySelector(".spark-area")
    .setAttribute("points", `${first},80 ${points.join(" ")} 600,80`);
}

function showOutcomes(page) {
  const key = (each) => `${each.session_id} ${each.transaction} ${each.ended_at}`;
  fill("outcomes", page.items, key, (each) => [
    { text: time(each.ended_at), title: each.ended_at ?? "" },
    named(each),
    each.reverse_path || "<>",
    {
      text: each.recipients[0] ? each.recipients[0] + more(each.recipient_count) : "",
      title: each.recipients.join(", "),
    },
    { text: each.findings[0] ?? each.verdict, tag: tone(each.verdict), title: each.findings.join(", ") },
    {
      text: each.reply_code ? `${each.disposition} ${each.reply_code}` : each.disposition,
      tag: tone(each.disposition),
      title: each.rule_id ? `rule ${each.rule_id}` : "",
    },
    { text: octets(each.content_octets), number: true },
  ]);
}

// Who it is, where that is known; the address is still there to point at.
const named = (each) =>
  each.identity ? { text: each.identity, title: each.source } : { text: each.source };

const more = (count) => (count > 1 ? ` +${count - 1}` : "");

function showLocks(page) {
  byId("locks-count").textContent = shown(page);
  fill("locks", page.items, (lock) => lock.subject, (lock) => [
    lock.subject,
    { text: lock.cause, tag: "neutral" },
    lock.reason,
    lock.author,
    { text: ends(lock.expires_at), title: lock.expires_at ?? "" },
    remover("/api/v1/locks/", lock.subject, "Unlock"),
  ]);
}

function showExemptions(page) {
  byId("networks").textContent = page.networks.length
    ? `By the rulebook: ${page.networks.join(", ")}` : "";
  fill("exemptions", page.items, (each) => each.subject, (each) => [
    each.subject,
    each.reason,
    remover("/api/v1/exemptions/", each.subject, "Remove"),
  ]);
}

function showSessions(page) {
  byId("sessions-count").textContent = shown(page);
  fill("sessions", page.items, (each) => each.session_id, (each) => [
    { text: span(Date.now() - new Date(each.opened_at)), title: each.opened_at ?? "" },
    named(each),
    `${each.destination}:${each.destination_port}`,
    each.phase || "–",
    { text: carried(each), title: `${number.format(each.octets_up)} octets up`, number: true },
    each.edge_id,
  ]);
}

const carried = (session) =>
  session.estimated_messages
    ? `≈ ${number.format(session.estimated_messages)}`
    : number.format(session.transactions);

const shown = (page) =>
  page.total > page.items.length
    ? `${number.format(page.items.length)} of ${number.format(page.total)}`
    : number.format(page.total);

// ---- changes

function remover(path, subject, word) {
  const act = async (event) => {
    event.currentTarget.disabled = true;
    try {
      await ask(path + encodeURIComponent(subject), { method: "DELETE" });
    } catch (refused) {
      if (refused.status !== 404) alert(refused.message);
    }
    await refresh();
  };
  return { button: word, label: `${word} ${subject}`, act };
}

function creator(id, path, body) {
  const form = byId(id);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const error = form.querySelector(".error");
    const given = Object.fromEntries(new FormData(form));
    try {
      await ask(path, { method: "POST", body: body(given) });
      error.textContent = "";
      form.reset();
      await refresh();
    } catch (refused) {
      error.textContent = refused.message;
    }
  };
}

creator("new-lock", "/api/v1/locks", (given) => ({
  subject: `${given.kind}:${given.value.trim()}`,
  reason: given.reason,
  ...(given.duration ? { duration_s: Number(given.duration) } : {}),
}));
creator("new-exemption", "/api/v1/exemptions", (given) => ({
  subject: `${given.kind}:${given.value.trim()}`,
  reason: given.reason,
}));

// ---- the round

async function load() {
  const query = (fields) => new URLSearchParams({ limit: ROWS, ...fields });
  const contains = byId("locks-filter").value.trim();
  const source = byId("sessions-filter").value.trim();
  const status = await ask("/api/v1/status");
  byId("dashboard").hidden = byId("forget").hidden = false;
  showStatus(status);
  // What needs the store, or a filter that is being typed, may fail without the rest.
  await Promise.all([
    ask(`/api/v1/outcomes?${query({})}`).then(showOutcomes, unlessSignedOut),
    ask(`/api/v1/locks?${query({ contains })}`).then(showLocks, unlessSignedOut),
    ask(`/api/v1/exemptions?${query({})}`).then(showExemptions, unlessSignedOut),
    ask(`/api/v1/sessions?${query({ source })}`).then(showSessions, unlessSignedOut),
  ]);
}

function unlessSignedOut(refused) {
  if (refused.status === 401) throw refused;
}

async function refresh() {
  clearTimeout(timer);
  soon = false;
  try {
    if (!document.hidden) await load();
  } catch (refused) {
    if (refused.status === 401) return signedOut();
    const state = byId("state");
    state.textContent = refused.message;
    state.className = "pill bad";
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, live.told ? TOLD_PERIOD_MS : PERIOD_MS);
  if (!following) {
    following = new AbortController();
    follow(happened, following.signal);
  }
}

function happened(kind) {
  // Once until the next round: in a busy farm something happens all the time.
  if (kind === "status" || soon) return;
  soon = true;
  clearTimeout(timer);
  timer = setTimeout(refresh, SOON_MS);
}

function signedOut() {
  clearTimeout(timer);
  following?.abort();
  following = null;
  token.forget();
  byId("dashboard").hidden = byId("forget").hidden = true;
  byId("state").textContent = "not connected";
  byId("state").className = "pill";
  signIn(async () => {
    await load();
    timer = setTimeout(refresh, PERIOD_MS);
  });
}

byId("forget").onclick = signedOut;
byId("locks-filter").oninput = byId("sessions-filter").oninput = () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, 250);
};
document.addEventListener("visibilitychange", () => token.get() && refresh());
if (token.get()) refresh();
else signedOut();
