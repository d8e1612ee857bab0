// MCP over stdio, carried to an MCP endpoint over HTTP and back: for clients that can only start a program. Messages pass as
// they are; what is added is what HTTP needs, and an answer to every request whatever happens on the way.
import { setTimeout as sleep } from 'node:timers/promises';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  isInitializeRequest,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  ProtocolErrorCode,
  type RequestId,
} from '@modelcontextprotocol/server';
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const RECONNECTION = {
  initialReconnectionDelay: 500,
  maxReconnectionDelay: 5_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 3,
};
const GOODBYE_MS = 2_000;

export interface McpBridgeOptions {
  url: URL;
  apiKey: string;
  /** For the person who reads the client's log. */
  note: (text: string) => void;
}

export class McpBridge {
  readonly #options: McpBridgeOptions;
  readonly #stdio: StdioServerTransport;
  #http: StreamableHTTPClientTransport;
  /** Requests of the client that have no answer yet. */
  readonly #open = new Map<RequestId, AbortController>();
  /** How the client's session began, to begin it anew where the server was restarted. */
  #initialize: JSONRPCRequest | undefined;
  #closing: Promise<void> | undefined;
  /** Resolves when the client has gone. */
  readonly done: Promise<void>;
  #resolveDone: () => void = () => {};

  constructor(stdio: StdioServerTransport, options: McpBridgeOptions) {
    this.#stdio = stdio;
    this.#options = options;
    this.#http = this.#connect();
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
  }

  async start(): Promise<void> {
    this.#stdio.onmessage = (message) => void this.#fromClient(message);
    this.#stdio.onerror = (error) => this.#options.note(`a line was not understood: ${error.message}`);
    this.#stdio.onclose = () => void this.close();
    await this.#http.start();
    await this.#stdio.start();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // The server keeps a session for half an hour otherwise.
    if (this.#http.sessionId !== undefined)
      await Promise.race([this.#http.terminateSession().catch(() => {}), sleep(GOODBYE_MS, undefined, { ref: false })]);
    await this.#http.close();
    await this.#stdio.close();
    this.#resolveDone();
  }

  #connect(): StreamableHTTPClientTransport {
    const { url, apiKey } = this.#options;
    const http = new StreamableHTTPClientTransport(url, {
      reconnectionOptions: RECONNECTION,
      ...(apiKey === '' ? {} : { requestInit: { headers: { authorization: `Bearer ${apiKey}` } } }),
    });
    http.onmessage = (message) => {
      if (this.#http === http) void this.#fromServer(message);
    };
    http.onerror = (error) => {
      // Nobody will bring the answers of a stream that could not be taken up again.
      if (this.#http === http && /reconnection attempts/i.test(error.message)) this.#failAll(error.message);
    };
    return http;
  }

  async #fromClient(message: JSONRPCMessage): Promise<void> {
    if ('method' in message && message.method === 'notifications/cancelled' && this.#cancelled(message)) return;
    if (!isJSONRPCRequest(message)) {
      await this.#http.send(message).catch((error) => this.#options.note(`a message was lost: ${reasonOf(error)}`));
      return;
    }
    const cancelling = new AbortController();
    this.#open.set(message.id, cancelling);
    if (isInitializeRequest(message)) this.#initialize = message;
    try {
      await this.#send(message, cancelling.signal);
    } catch (error) {
      if (!cancelling.signal.aborted) await this.#fail(message.id, reasonOf(error));
    }
  }

  async #send(message: JSONRPCRequest, requestSignal: AbortSignal): Promise<void> {
    const options = {
      requestSignal,
      // In the 2026 era a stream that ends without an answer will never bring one.
      ...(isEnveloped(message)
        ? { onRequestStreamEnd: () => void this.#fail(message.id, 'The answer broke off.') }
        : {}),
    };
    const http = this.#http;
    try {
      await http.send(message, options);
    } catch (error) {
      const lost = http.sessionId !== undefined && /\b404\b|session/i.test(reasonOf(error));
      if (!lost || isInitializeRequest(message) || !(await this.#beginAnew(http))) throw error;
      await this.#http.send(message, options);
    }
  }

  /** The server knows the session no more: it was restarted, or nothing was heard for long. */
  async #beginAnew(lost: StreamableHTTPClientTransport): Promise<boolean> {
    if (this.#http !== lost) return true;
    const first = this.#initialize;
    if (!first) return false;
    const http = this.#connect();
    this.#http = http;
    await lost.close();
    await http.start();
    const answered = Promise.withResolvers<void>();
    const pass = http.onmessage;
    http.onmessage = (message) => {
      // The client has had this answer long ago.
      if ('id' in message && message.id === first.id) answered.resolve();
    };
    await http.send(first);
    await Promise.race([answered.promise, sleep(GOODBYE_MS, undefined, { ref: false })]);
    if (pass) http.onmessage = pass;
    http.setProtocolVersion(String(first.params?.['protocolVersion']));
    await http.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    this.#options.note('the session was begun anew');
    return true;
  }

  /** In the 2026 era a request is cancelled by letting go of it. */
  #cancelled(message: JSONRPCMessage): boolean {
    const id = 'params' in message ? (message.params?.['requestId'] as RequestId | undefined) : undefined;
    if (id === undefined || this.#initialize) return false;
    this.#open.get(id)?.abort();
    this.#open.delete(id);
    return true;
  }

  async #fromServer(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
      if (message.id !== undefined) this.#open.delete(message.id);
      if (message.id === this.#initialize?.id && 'result' in message) {
        const { protocolVersion } = message.result;
        if (typeof protocolVersion === 'string') this.#http.setProtocolVersion(protocolVersion);
      }
    }
    await this.#stdio.send(message).catch(() => {});
  }

  #failAll(reason: string): void {
    for (const id of [...this.#open.keys()]) void this.#fail(id, reason);
  }

  async #fail(id: RequestId, reason: string): Promise<void> {
    if (!this.#open.delete(id)) return;
    const message = `Venom at ${this.#options.url.origin}: ${reason}`;
    await this.#stdio
      .send({ jsonrpc: '2.0', id, error: { code: ProtocolErrorCode.InternalError, message } })
      .catch(() => {});
  }
}

function isEnveloped({ params }: JSONRPCRequest): boolean {
  const meta = params?.['_meta'] as Record<string, unknown> | undefined;
  return meta?.[PROTOCOL_VERSION_META_KEY] !== undefined;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
