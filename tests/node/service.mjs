// A service on Node's own http alone. It reads and writes the headers that @amplitude/ai documents:
// extract() stands for its extractContext(headers), inject() for its injectContext().
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

const SESSION = "x-amplitude-session-id";
const AGENT = "x-amplitude-agent-id";
const PARENT_AGENT = "x-amplitude-parent-agent-id";
const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

function extract(headers) {
  const trace = TRACE.exec(headers.traceparent ?? "");
  return {
    traceId: trace?.[1] ?? null,
    sessionId: headers[SESSION] ?? null,
    agentId: headers[AGENT] ?? null,
    parentAgentId: headers[PARENT_AGENT] ?? null,
  };
}

function inject({ traceId, sessionId, agentId, parentAgentId }) {
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-01` };
  if (sessionId) headers[SESSION] = sessionId;
  if (agentId) headers[AGENT] = agentId;
  if (parentAgentId) headers[PARENT_AGENT] = parentAgentId;
  return headers;
}

async function call(url, context) {
  const response = await fetch(url, { headers: inject(context) });
  return { status: response.status, body: await response.text(), context };
}

const routes = {
  // Says what arrived.
  "/told": ({ headers }) => ({ ...extract(headers), all: Object.keys(headers) }),
  // Asks another service, in a conversation that begins here.
  "/asks": ({ to, session }) =>
    call(to, { traceId: randomBytes(16).toString("hex"), sessionId: session, agentId: "node-planner" }),
  // Asks another service on behalf of the one that called.
  "/passes": ({ headers, to }) => {
    const from = extract(headers);
    return call(to, { ...from, agentId: "node-middle", parentAgentId: from.agentId });
  },
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  const query = Object.fromEntries(url.searchParams);
  const answer = await routes[url.pathname]({ headers: request.headers, ...query });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
