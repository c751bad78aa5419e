import { type Server, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";

/** Most sessions that are kept; the one idle for longest makes room for a new one. */
const MOST_SESSIONS = 256;

/** The sessions of clients that perform a handshake: one server per session, until the client leaves. */
export class Sessions {
  readonly #newServer: () => Server;
  /** Least recently used first. */
  readonly #open = new Map<string, WebStandardStreamableHTTPServerTransport>();

  constructor(newServer: () => Server) {
    this.#newServer = newServer;
  }

  async answer(request: Request): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    if (id === null) return await this.#begin(request);
    const transport = this.#open.get(id);
    if (transport === undefined) return unknownSession();
    this.#open.delete(id);
    this.#open.set(id, transport);
    return await transport.handleRequest(request);
  }

  async close(): Promise<void> {
    const transports = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(transports.map((transport) => transport.close()));
  }

  async #begin(request: Request): Promise<Response> {
    let isSession = false;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => {
        isSession = true;
        this.#open.set(id, transport);
      },
      onsessionclosed: (id) => void this.#open.delete(id),
    });
    await this.#newServer().connect(transport);
    const response = await transport.handleRequest(request);
    // A client without a handshake has its answer already.
    if (!isSession) await transport.close();
    await this.#makeRoom();
    return response;
  }

  async #makeRoom(): Promise<void> {
    for (const [id, transport] of this.#open) {
      if (this.#open.size <= MOST_SESSIONS) return;
      this.#open.delete(id);
      await transport.close();
    }
  }
}

/** The status on which clients start a new session. */
function unknownSession(): Response {
  return Response.json(
    { jsonrpc: "2.0", error: { code: -32_001, message: "Session not found" }, id: null },
    { status: 404 },
  );
}
