// Shortcuts, copying, roving focus and the manners of live updates; reading works without any of it.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = document.body.dataset.page;
const narrow = matchMedia("(max-width: 1179px)");

// ---- what only exists with a script
const reveal = (root = document) => $$("[data-copy][hidden], [data-copy-next][hidden], [data-help][hidden]", root).forEach((el) => (el.hidden = false));
let toastTimer;
function toast(text) {
  $("#toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($("#toast").textContent = ""), 6000);
}
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}`);
  } catch {
    toast("The browser did not allow copying. Select the text instead.");
  }
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-next], [data-fetch], [data-help], [data-close]");
  if (!button) return;
  if (button.dataset.copy) copy($("#" + button.dataset.copy).textContent, button.getAttribute("aria-label").replace(/^Copy /, ""));
  else if ("copyNext" in button.dataset) copy(button.dataset.original || button.closest(".body").lastElementChild.textContent, "the content");
  else if ("help" in button.dataset) $("#help").showModal();
  else if ("fetch" in button.dataset) {
    event.preventDefault();
    copy(await (await fetch(button.href)).text(), button.textContent);
    button.closest("details").open = false;
  } else if ("close" in button.dataset) {
    event.preventDefault();
    inspect(null);
  }
});
document.addEventListener("click", (event) => {
  $$("details.drop[open], .foot[open]").forEach((el) => el.contains(event.target) || (el.open = false));
});

// ---- relative times
function refreshTimes() {
  for (const el of $$("[data-until]")) el.hidden = Date.parse(el.dataset.until) <= Date.now();
  for (const el of $$("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(el.dateTime)) / 1000;
    if (seconds >= 86400 || seconds < 0) continue;
    const [count, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [seconds / 60, "min"] : [seconds / 3600, "h"];
    const text = seconds < 1 ? "now" : `${Math.floor(count)}\u202f${unit} ago`;
    if (el.textContent !== text) el.textContent = text;
  }
}
setInterval(refreshTimes, 30000);

// ---- the inspector opens in place, its address with it
async function inspect(link) {
  const address = new URL(link ? link.href : location.href);
  if (!link) address.searchParams.delete("step");
  const answer = await fetch(address.pathname + address.search, { headers: { "HX-Target": "aside#inspector" } });
  if (!answer.ok) return;
  const before = $("#inspector");
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
  before.replaceWith(found);
  $$("tr[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
  $$("tr.opened").forEach((row) => row.remove());
  $(".falls").classList.toggle("inspecting", !!link);
  link?.closest("tr").setAttribute("aria-current", "true");
  history.replaceState(null, "", address);
  const scale = $("[data-scale]");
  if (scale) {
    const next = new URL(scale.href);
    link ? next.searchParams.set("step", address.searchParams.get("step")) : next.searchParams.delete("step");
    scale.href = next;
  }
  reveal(found);
  place();
}
function place() {
  const aside = $("#inspector"), row = $("#turns tr[aria-current]");
  if (!aside || !$(".falls")) return;
  if (narrow.matches && row && aside.firstElementChild) {
    const home = document.createElement("tr");
    home.className = "opened";
    home.append(Object.assign(document.createElement("td"), { colSpan: 5 }));
    home.firstChild.append(aside);
    row.after(home);
  } else if (aside.parentElement !== $(".falls")) {
    $(".falls").append(aside);
    $$("tr.opened").forEach((el) => el.remove());
  }
}
narrow.addEventListener("change", place);
document.addEventListener("click", (event) => {
  const link = event.target.closest("#turns tbody th a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  inspect(link);
});

// ---- outline follows the reading
if ($("#outline-list") && "IntersectionObserver" in window) {
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    entries.forEach((entry) => (entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id)));
    const first = $$(".turn").find((turn) => seen.has(turn.id));
    $$("#outline-list a").forEach((a) => (first && a.hash === "#" + first.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current")));
  }, { rootMargin: "-80px 0px -50% 0px" });
  const watch = () => $$(".turn").forEach((turn) => observer.observe(turn));
  watch();
  document.addEventListener("session:changed", watch);
}

// ---- tabs: arrows move, Enter opens, the panel gets the focus
$("#tabs")?.addEventListener("keydown", (event) => {
  const tabs = $$("[role=tab]"), at = tabs.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (at < 0 || to === undefined) {
    if (event.key === "Enter" || event.key === " ") {
      sessionStorage.setItem("focus", "panel");
      if (event.key === " ") { event.preventDefault(); document.activeElement.click(); }
    }
    return;
  }
  event.preventDefault();
  const next = tabs[(to + tabs.length) % tabs.length];
  tabs.forEach((tab) => (tab.tabIndex = tab === next ? 0 : -1));
  next.focus();
});

// ---- live
const live = $("#live"), state = $("#live-state");
let paused = false, lostTimer;
function say(text, mode) {
  if (!state) return;
  state.dataset.state = mode;
  state.firstElementChild.textContent = text;
}
function connect() {
  paused ? live.removeAttribute("hx-sse:connect") : live.setAttribute("hx-sse:connect", live.dataset.stream);
  window.htmx.process(live, true);
}
function switchLive() {
  if (!live) return;
  paused = !paused;
  live.dataset.state = "";
  connect();
  say(paused ? "Live is off" : "Live", paused ? "off" : "on");
}
if (live) {
  if (state) state.hidden = false;
  live.addEventListener("htmx:sse:before:connection", (event) => paused && event.preventDefault());
  live.addEventListener("htmx:sse:after:connection", () => { live.dataset.state = "open"; clearTimeout(lostTimer); lostTimer = 0; say("Live", "on"); });
  const lost = () => { if (!paused && !lostTimer) lostTimer = setTimeout(() => say("Live lost, retrying", "off"), 5000); };
  for (const name of ["htmx:sse:error", "htmx:error"]) live.addEventListener(name, lost);
  // htmx starts in a timer that may fire before its extension is there; a later timer finds both.
  if (window.htmx) setTimeout(connect);
}
// A morph keeps what the reader opened, chose or stands on.
window.htmx?.registerExtension("reader", {
  htmx_before_morph_attr: (el, { attrName }) => !((attrName === "open" && el.tagName === "DETAILS") || attrName === "data-current" || attrName === "hidden" || (attrName === "aria-current" && el.tagName !== "A")),
});
const fresh = new Map();
live?.addEventListener("sessions:new", (event) => {
  for (const [key, url] of JSON.parse(event.detail.data)) if (!document.getElementById(key)) fresh.set(key, url);
  if (!fresh.size) return;
  $("#new a").hidden = false;
  $("#new a").textContent = `${fresh.size} new, show`;
  announce(`${fresh.size} new ${fresh.size === 1 ? "session" : "sessions"}`);
});
let announcedAt = 0;
function announce(text) {
  if (Date.now() - announcedAt < 10000) return;
  announcedAt = Date.now();
  toast(text);
}
let wasAtEnd = true, unread = 0, turnsBefore = 0;
const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
live?.addEventListener("htmx:before:swap", () => { wasAtEnd = scrollY > 0 && atEnd(); turnsBefore = $$(".turn").length; });
document.addEventListener("htmx:before:settle", ({ target }) => target.matches?.(".sessions tr") && target.classList.add("changed"));
document.addEventListener("animationend", ({ target }) => target.classList.remove("changed"));
live?.addEventListener("htmx:after:swap", () => { reveal(); place(); });
live?.addEventListener("session:changed", () => {
  const added = $$(".turn").length - turnsBefore, more = $("#more");
  const inspected = $("#inspector h2");
  if (inspected && !$("#inspector .updated")) inspected.after(Object.assign(document.createElement("a"), { className: "updated", href: location.href, textContent: "Updated, reload" }));
  if (!more || !$(".thread")) return;
  if (wasAtEnd) scrollTo({ top: document.documentElement.scrollHeight });
  else if (added && !atEnd()) {
    unread += added;
    more.hidden = false;
    more.firstElementChild.textContent = `${unread} new ${unread === 1 ? "turn" : "turns"}`;
  }
});
addEventListener("scroll", () => { if (unread && atEnd()) { unread = 0; $("#more").hidden = true; } }, { passive: true });

// ---- keyboard
const keysBox = $("[data-keys]");
if (keysBox) {
  keysBox.checked = localStorage.getItem("keys") !== "off";
  keysBox.addEventListener("change", () => localStorage.setItem("keys", keysBox.checked ? "on" : "off"));
}
const rows = () => page === "list" ? $$(".sessions tbody tr") : $(".falls") ? $$("#turns .card > summary, #turns .card[open] tbody tr:has(th a)") : $$(".turn");
let current = -1;
function move(by) {
  const all = rows();
  if (!all.length) return;
  const marked = all.findIndex((el) => el.hasAttribute("data-current"));
  current = Math.min(Math.max((marked >= 0 ? marked : current) + by, 0), all.length - 1);
  all.forEach((el, at) => (at === current ? el.setAttribute("data-current", "") : el.removeAttribute("data-current")));
  all[current].scrollIntoView({ block: page === "list" ? "nearest" : $(".falls") ? "nearest" : "start" });
  (all[current].matches("summary") ? all[current] : $("a, summary", all[current]))?.focus({ preventScroll: true });
  if ($(".falls.inspecting") && all[current].matches("tr")) { clearTimeout(move.timer); const link = $("a", all[current]); move.timer = setTimeout(() => inspect(link), 120); }
  if (page === "list") sessionStorage.setItem("row", all[current].id);
}
function open() {
  const el = rows().find((row) => row.hasAttribute("data-current"));
  if (el) (el.matches("summary") ? el : $("a[href], summary", el))?.click();
}
function nextError() {
  const all = $$(".turn[data-error] .act.failed, .card tr.failed, .turn[data-error] .failure");
  if (!all.length) return toast("No error in this session");
  nextError.at = ((nextError.at ?? -1) + 1) % all.length;
  const el = all[nextError.at];
  el.closest(".card") && (el.closest(".card").open = true);
  el.scrollIntoView({ block: "center" });
  $("a, summary", el)?.focus({ preventScroll: true });
}
const go = (selector) => $$(selector).find((el) => el.offsetParent !== null || el.closest("nav"))?.click();
const keys = {
  "?": () => $("#help").showModal(),
  j: () => move(1), k: () => move(-1), o: open,
  O: () => { const all = $$(".card, .act:is(details)"), any = all.some((el) => !el.open); all.forEach((el) => (el.open = any)); },
  "[": () => go("a[rel=prev]"), "]": () => go("a[rel=next]"),
  1: () => go("#tab-thread"), 2: () => go("#tab-info"), 3: () => go("#tab-turns"),
  e: nextError, t: () => go("[data-scale]"),
  y: () => $("#session-id") && copy($("#session-id").textContent, "the session id"), Y: () => copy(location.href, "the link"),
  l: switchLive, g: () => { keys.pending = true; setTimeout(() => (keys.pending = false), 1000); },
  s: () => keys.pending && location.assign("/sessions"),
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  if (event.key === "Escape") {
    const opened = $("details.drop[open], .foot[open], .outline > details[open]");
    if (opened) opened.open = false;
    else if ($(".falls.inspecting")) inspect(null);
    else if (page !== "list") sessionStorage.setItem("focus", "row"), location.assign(sessionStorage.getItem("list") || "/sessions");
    return;
  }
  if (!keysBox?.checked || !Object.hasOwn(keys, event.key) || event.key === "pending") return;
  event.preventDefault();
  keys[event.key]();
});

// ---- coming back, and starting
if (page === "list") {
  sessionStorage.setItem("list", location.href);
  const back = document.getElementById(sessionStorage.getItem("row") || "");
  if (back) { back.setAttribute("data-current", ""); back.scrollIntoView({ block: "nearest" }); if (sessionStorage.getItem("focus") === "row") $("a", back).focus({ preventScroll: true }); }
  sessionStorage.removeItem("focus");
  document.addEventListener("click", (event) => { const row = event.target.closest(".sessions tbody tr"); if (row) sessionStorage.setItem("row", row.id); });
}
if (sessionStorage.getItem("focus") === "panel") { sessionStorage.removeItem("focus"); $("#panel")?.focus(); }
const since = $("[data-since]");
if (since) {
  const began = Date.now() - parseWait(since.dataset.since);
  setInterval(() => {
    const el = $("[data-since]"), seconds = Math.floor((Date.now() - began) / 1000);
    if (el) el.textContent = seconds < 60 ? `${seconds}\u202fs` : `${Math.floor(seconds / 60)}\u202fmin ${seconds % 60}\u202fs`;
  }, 1000);
}
function parseWait(text) {
  const parts = { s: 1000, min: 60000, h: 3600000, d: 86400000 };
  return [...text.matchAll(/([\d.]+)\s*(min|s|h|d)(?![a-z])/g)].reduce((sum, [, count, unit]) => sum + count * parts[unit], 0);
}
place();
reveal();
