// What an imported server asks while it works, passed on to the one client whose session it is: sampling, elicitation, roots.
import type { ClientCapabilities, McpServer, RequestOptions, ServerContext } from '@modelcontextprotocol/server';
import type { McpInteraction, McpNotification } from '../../../skills/mcp/ports.js';

/** A person may have to read and answer. */
const ANSWER_MS = 600_000;

export class ClientInteraction {
  /** Requests that are under way, newest last: what is asked or told meanwhile belongs to one of them. */
  readonly underWay = new Set<ServerContext>();
  server: McpServer | undefined;

  /** Offers what this client has said it can do. */
  offered({ sampling, elicitation, roots }: ClientCapabilities): McpInteraction {
    return {
      ...(sampling ? { sample: (params, signal) => this.#ask('sampling/createMessage', params, signal) } : {}),
      ...(elicitation ? { elicit: (params, signal) => this.#ask('elicitation/create', params, signal) } : {}),
      ...(roots ? { roots: (signal) => this.#ask('roots/list', undefined, signal) } : {}),
    };
  }

  async tell({ method, params }: McpNotification): Promise<void> {
    const notification = { method, ...(params ? { params: { ...params } } : {}) };
    const related = method === 'notifications/message' ? this.#newest : undefined;
    await (related ? related.mcpReq.notify(notification) : this.server?.server.notification(notification));
  }

  get #newest(): ServerContext | undefined {
    return [...this.underWay].at(-1);
  }

  async #ask<R>(method: string, params: object | undefined, signal: AbortSignal): Promise<R> {
    const request = { method, ...(params ? { params: { ...params } } : {}) };
    const options: RequestOptions = { signal, timeout: ANSWER_MS };
    const related = this.#newest;
    const answer = related
      ? await related.mcpReq.send(request as never, options)
      : await this.server?.server.request(request as never, options);
    return answer as R;
  }
}
