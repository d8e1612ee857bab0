// A remote MCP server of 2024: a stream for what it says, and another address for what it is told. Made with the official
// library of that time; what it does wrong is asked for by name.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { createMcpHandler, fromJsonSchema, McpServer as NewServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

export class SseMcp {
  /** What it answers to a message at the address of its stream. */
  refusal = 405;
  /** Where it says that messages go, instead of its own address. */
  foreign: string | undefined;
  /** It has learned the new way, and forgotten the old one. */
  streamable = false;
  /** Methods and paths as they came. */
  readonly asked: string[] = [];
  readonly #transports = new Map<string, SSEServerTransport>();
  readonly #http: Server;
  readonly #new = createMcpHandler(() => newServer());

  private constructor() {
    this.#http = createServer((request, response) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<SseMcp> {
    const own = new SseMcp();
    own.#http.listen(0, '127.0.0.1');
    await once(own.#http, 'listening');
    return own;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/sse`;
  }

  get streams(): number {
    return this.#transports.size;
  }

  endStreams(): void {
    this.#http.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://here');
    this.asked.push(`${request.method} ${url.pathname}`);
    if (this.streamable && url.pathname === '/sse') {
      let body = '';
      for await (const piece of request) body += String(piece);
      const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const init = { method: request.method ?? 'GET', headers, ...(body ? { body } : {}) };
      const answer = await this.#new.fetch(new Request(this.url, init));
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body) Readable.fromWeb(answer.body as never).pipe(response);
      else response.end();
      return;
    }
    if (request.method === 'GET' && url.pathname === '/sse') {
      if (this.foreign !== undefined) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: endpoint\ndata: ${this.foreign}\n\n`);
        return;
      }
      const transport = new SSEServerTransport('/messages', response);
      this.#transports.set(transport.sessionId, transport);
      response.on('close', () => this.#transports.delete(transport.sessionId));
      await oldServer().connect(transport);
      return;
    }
    const transport = this.#transports.get(url.searchParams.get('sessionId') ?? '');
    if (request.method === 'POST' && url.pathname === '/messages' && transport) {
      await transport.handlePostMessage(request, response);
      return;
    }
    response.writeHead(this.refusal).end();
  }
}

function oldServer(): McpServer {
  const server = new McpServer({ name: 'old', version: '1' });
  server.registerTool('echo', { description: 'Echoes', inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text: `old ${text}` }],
  }));
  return server;
}

function newServer(): NewServer {
  const server = new NewServer({ name: 'new', version: '2' });
  const inputSchema = fromJsonSchema<{ text: string }>({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
  });
  server.registerTool('echo', { description: 'Echoes', inputSchema }, ({ text }) => ({
    content: [{ type: 'text', text: `new ${text}` }],
  }));
  return server;
}
