// A conversation is this page's: its id goes with every request, and the server makes it the agent session.
const conversationId = "chat-" + Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) =>
  byte.toString(16).padStart(2, "0")).join("");
const headers = { "Content-Type": "application/json", "X-Conversation-Id": conversationId };

const thread = document.querySelector("#thread");
const composer = document.querySelector("#composer");
const textarea = document.querySelector("#text");
const send = document.querySelector("#send");
const template = document.querySelector("#turn-template");
let running = null;

document.querySelector("#conversation-id").textContent = conversationId;
document.querySelector("#new-conversation").addEventListener("click", () => location.reload());
for (const button of document.querySelectorAll(".question")) {
  button.addEventListener("click", () => ask(button.textContent));
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) running.abort();
  else if (textarea.value.trim()) ask(textarea.value.trim());
});
textarea.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!running) composer.requestSubmit();
});

async function ask(text) {
  if (running) return;
  running = new AbortController();
  document.querySelector("#start")?.remove();
  const turn = addTurn(text);
  textarea.value = "";
  textarea.required = false; // an empty box must not keep "Stop" from submitting
  send.textContent = "Stop";
  try {
    const request = { method: "POST", headers, body: JSON.stringify({ text }), signal: running.signal };
    const response = await fetch("/chat", request);
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    for await (const event of serverSentEvents(response)) show(turn, event);
  } catch (error) {
    const isChosen = error.name === "AbortError";
    showProblem(turn, isChosen ? "Stopped. The guide will not remember this turn." : error.message, isChosen);
  } finally {
    turn.removeAttribute("aria-busy");
    turn.classList.add("stopped");
    running = null;
    textarea.required = true;
    send.textContent = "Send";
    textarea.focus();
  }
}

async function* serverSentEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (waiting + value).split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith("data: ")) yield JSON.parse(block.slice("data: ".length));
    }
  }
}

function addTurn(text) {
  const turn = template.content.firstElementChild.cloneNode(true);
  turn.querySelector(".said").textContent = text;
  turn.setAttribute("aria-busy", "true");
  thread.append(turn);
  turn.scrollIntoView({ block: "end" });
  return turn;
}

function show(turn, event) {
  const wasAtTheEnd = innerHeight + scrollY > document.body.scrollHeight - 80;
  if (event.text) turn.querySelector(".reply").append(event.text);
  if (event.tool) addTool(turn, event);
  if (event.error) showProblem(turn, event.error);
  if (event.reply_id) offerRating(turn, event.reply_id);
  if (wasAtTheEnd) scrollTo(0, document.body.scrollHeight);
}

function addTool(turn, { tool, arguments: given }) {
  const row = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = tool;
  row.append(name, ` ${given}`);
  turn.querySelector(".tools").append(row);
}

function showProblem(turn, sentence, isChosen = false) {
  const problem = turn.querySelector(".problem");
  problem.classList.toggle("chosen", isChosen);
  problem.textContent = sentence;
  problem.hidden = false;
}

function offerRating(turn, replyId) {
  const rate = turn.querySelector(".rate");
  const buttons = [...rate.querySelectorAll("button")];
  const status = rate.querySelector("[role=status]");
  rate.hidden = false;
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      const body = JSON.stringify({ reply_id: replyId, liked: button.dataset.liked === "true" });
      buttons.forEach((each) => { each.disabled = true; });
      const response = await fetch("/feedback", { method: "POST", headers, body }).catch(() => null);
      if (response?.ok) {
        button.setAttribute("aria-pressed", "true");
        status.textContent = "Noted";
      } else {
        buttons.forEach((each) => { each.disabled = false; });
        status.textContent = "Not saved. Try again.";
      }
    });
  }
}
