// One connection to one server, in either era of the protocol: the handshake, its requests with their time limits, and its
// failures under our codes.
import {
  type CallToolRequest,
  type CallToolResult,
  Client,
  type ClientCapabilities,
  type CompleteRequest,
  type DiscoverResult,
  type GetPromptRequest,
  type GetPromptResult,
  type InputRequiredResult,
  type LoggingLevel,
  type PriorDiscovery,
  ProtocolError,
  type ReadResourceResult,
  type RequestOptions,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  SseError,
  type Transport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { abortable } from '../../shared/abortable.js';
import { AppError } from '../../shared/errors.js';
import { boundedValidator } from './compile-schema.js';
import type { McpInteraction, McpNotification, McpRequestOptions, McpSession } from './ports.js';

const LIST_PAGES = 64;
const PROBE_MS = 5_000;
/** Of the protocol: a cancelled request is told to the server, and the caller hears at once. */
const CAPABILITIES = {
  sample: { sampling: {} },
  elicit: { elicitation: { form: {}, url: {} } },
  roots: { roots: {} },
} satisfies Record<keyof McpInteraction, ClientCapabilities>;

export interface ConnectOptions {
  server: string;
  version: string;
  transport: () => McpTransport;
  protocol: 'auto' | 'legacy' | 'modern';
  /** What an earlier connection found out. */
  prior?: PriorDiscovery | undefined;
  /** Another way to the same server, tried when it does not know the first one. */
  fallback?: { transport: () => McpTransport; prior?: PriorDiscovery } | undefined;
  startMs: number;
  /** Without an answer or a sign of progress. */
  idleMs: number;
  /** However much progress it reports. */
  ceilingMs: number;
  interaction?: McpInteraction | undefined;
  signal?: AbortSignal | undefined;
  /** Told why it went away, unless we closed it. */
  onLost?: (failure: AppError) => void;
}

/** A transport that knows why it ended. */
export type McpTransport = Transport & {
  readonly failure?: AppError | null;
  readonly pid?: number | null;
  /** Of a remote server; left out for streamable HTTP. */
  readonly wire?: 'sse';
};

const MODERN_REVISION = '2026-07-28';

export class McpConnection implements McpSession {
  readonly server: string;
  readonly #client: Client;
  readonly #transport: McpTransport;
  readonly #options: ConnectOptions;
  readonly #notified = new Set<(notification: McpNotification) => void>();
  readonly #closedListeners = new Set<() => void>();
  #closing: Promise<void> | undefined;
  #lost = false;

  private constructor(client: Client, transport: McpTransport, options: ConnectOptions) {
    this.server = options.server;
    this.#client = client;
    this.#transport = transport;
    this.#options = options;
  }

  /** @throws AppError `mcp_start_timeout`, `mcp_crashed`, `mcp_protocol`, `cancelled` */
  static async open(options: ConnectOptions): Promise<McpConnection> {
    const deadline = performance.now() + options.startMs;
    try {
      return await attempt(options, options.prior, deadline);
    } catch (error) {
      const left = deadline - performance.now();
      const { fallback } = options;
      if (fallback && isOtherTransport(error) && left >= 100 && !options.signal?.aborted) {
        const { transport, prior } = fallback;
        return await attempt({ ...options, transport }, prior, deadline).catch((second) => {
          // Neither: what the usual way said is what helps.
          throw second instanceof AppError && second.code === 'mcp_protocol' ? error : second;
        });
      }
      const mayDiffer = options.prior?.kind === 'modern' || (options.protocol === 'auto' && !options.prior);
      // A server that ends at an unknown first message is an old one; one that was new may have been replaced.
      const again = error instanceof AppError && (error.code === 'mcp_crashed' || error.code === 'mcp_protocol');
      if (!mayDiffer || !again || left < 100 || options.signal?.aborted) throw error;
      return attempt(options, options.prior?.kind === 'modern' ? undefined : { kind: 'legacy' }, deadline);
    }
  }

  /** @internal */
  static async handshake(
    options: ConnectOptions,
    prior: PriorDiscovery | undefined,
    deadline: number,
  ): Promise<McpConnection> {
    const transport = options.transport();
    const { interaction, protocol } = options;
    const capabilities: ClientCapabilities = Object.assign(
      {},
      ...Object.entries(CAPABILITIES).map(([name, capability]) =>
        interaction?.[name as keyof McpInteraction] ? capability : {},
      ),
    );
    const client = new Client(
      { name: 'venom', version: options.version },
      {
        capabilities,
        listMaxPages: LIST_PAGES,
        jsonSchemaValidator: boundedValidator,
        inputRequired: { autoFulfill: interaction !== undefined },
        versionNegotiation: {
          mode: protocol === 'modern' ? { pin: MODERN_REVISION } : protocol,
          probe: { timeoutMs: Math.min(PROBE_MS, options.startMs / 2) },
        },
      },
    );
    if (interaction) answerWith(client, interaction);
    const connection = new McpConnection(client, transport, options);
    client.onclose = () => connection.#onClosed();
    client.onerror = () => {};
    client.fallbackNotificationHandler = async ({ method, params }) => {
      for (const listener of connection.#notified) listener({ method, params });
    };
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    const limit = AbortSignal.timeout(left);
    const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
    try {
      // The library's own time limits do not cover a program that never gets as far as reading.
      await abortable(client.connect(transport, { timeout: left, signal, ...(prior ? { prior } : {}) }), signal);
      await connection.#listen(left);
      return connection;
    } catch (error) {
      connection.#closing = Promise.resolve();
      await transport.close().catch(() => {});
      if (options.signal?.aborted) throw new AppError('cancelled', `Starting ${options.server} was cancelled.`);
      if (limit.aborted || isTimeout(error))
        throw new AppError(
          'mcp_start_timeout',
          `${options.server} did not answer within ${options.startMs / 1_000} s.`,
          {
            cause: error,
          },
        );
      throw connection.#translated(error, 'start');
    }
  }

  get era(): 'modern' | 'legacy' {
    return this.#client.getProtocolEra() === 'modern' ? 'modern' : 'legacy';
  }

  get protocolVersion(): string {
    return this.#client.getNegotiatedProtocolVersion() ?? '';
  }

  get serverInfo() {
    return this.#client.getServerVersion() ?? null;
  }

  get capabilities() {
    return this.#client.getServerCapabilities() ?? {};
  }

  get instructions(): string | null {
    return this.#client.getInstructions() ?? null;
  }

  get discovered(): DiscoverResult | null {
    return this.#client.getDiscoverResult() ?? null;
  }

  get pid(): number | null {
    return this.#transport.pid ?? null;
  }

  get wire(): 'sse' | undefined {
    return this.#transport.wire;
  }

  get open(): boolean {
    return !this.#lost && this.#closing === undefined;
  }

  listTools(params?: { cursor?: string }, options?: McpRequestOptions) {
    return this.#ask((limits) => this.#client.listTools(params, { ...limits, cacheMode: 'refresh' }), options);
  }

  callTool(
    params: CallToolRequest['params'],
    options?: McpRequestOptions,
  ): Promise<CallToolResult | InputRequiredResult> {
    return this.#ask((limits) => this.#client.callTool(params, limits), options);
  }

  listResources(params?: { cursor?: string }, options?: McpRequestOptions) {
    return this.#ask((limits) => this.#client.listResources(params, limits), options);
  }

  listResourceTemplates(params?: { cursor?: string }, options?: McpRequestOptions) {
    return this.#ask((limits) => this.#client.listResourceTemplates(params, limits), options);
  }

  readResource(
    params: { uri: string } & Record<string, unknown>,
    options?: McpRequestOptions,
  ): Promise<ReadResourceResult | InputRequiredResult> {
    return this.#ask((limits) => this.#client.readResource(params, limits), options);
  }

  async subscribeResource(params: { uri: string }, options?: McpRequestOptions): Promise<void> {
    await this.#ask((limits) => this.#client.subscribeResource(params, limits), options);
  }

  async unsubscribeResource(params: { uri: string }, options?: McpRequestOptions): Promise<void> {
    await this.#ask((limits) => this.#client.unsubscribeResource(params, limits), options);
  }

  listPrompts(params?: { cursor?: string }, options?: McpRequestOptions) {
    return this.#ask((limits) => this.#client.listPrompts(params, limits), options);
  }

  getPrompt(
    params: GetPromptRequest['params'],
    options?: McpRequestOptions,
  ): Promise<GetPromptResult | InputRequiredResult> {
    return this.#ask((limits) => this.#client.getPrompt(params, limits), options);
  }

  complete(params: CompleteRequest['params'], options?: McpRequestOptions) {
    return this.#ask((limits) => this.#client.complete(params, limits), options);
  }

  async setLoggingLevel(level: LoggingLevel, options?: McpRequestOptions): Promise<void> {
    if (this.era === 'modern' || !this.capabilities.logging) return;
    await this.#ask((limits) => this.#client.setLoggingLevel(level, limits), options);
  }

  onNotification(listener: (notification: McpNotification) => void): () => void {
    this.#notified.add(listener);
    return () => this.#notified.delete(listener);
  }

  onClose(listener: () => void): () => void {
    if (!this.open) queueMicrotask(listener);
    else this.#closedListeners.add(listener);
    return () => this.#closedListeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#client.close().catch(() => {});
    return this.#closing;
  }

  /** In the modern era changes are told to those who ask. */
  async #listen(timeout: number): Promise<void> {
    const { tools, prompts, resources } = this.capabilities;
    const filter = {
      ...(tools?.listChanged ? { toolsListChanged: true } : {}),
      ...(prompts?.listChanged ? { promptsListChanged: true } : {}),
      ...(resources?.listChanged ? { resourcesListChanged: true } : {}),
    };
    if (this.era !== 'modern' || Object.keys(filter).length === 0) return;
    // A server that promises it and does not keep it is of use all the same.
    await this.#client.listen(filter, { timeout: Math.min(timeout, 2_000) }).catch(() => {});
  }

  async #ask<T>(send: (limits: RequestOptions) => Promise<T>, options: McpRequestOptions = {}): Promise<T> {
    if (!this.open)
      throw this.#transport.failure ?? new AppError('mcp_crashed', `${this.server} does not run any more.`);
    const { signal, onProgress, idleTimeoutMs, personMs = 0, allowInputRequired } = options;
    if (signal?.aborted) throw new AppError('cancelled', `The request to ${this.server} was cancelled.`);
    try {
      return await send({
        timeout: (idleTimeoutMs ?? this.#options.idleMs) + personMs,
        maxTotalTimeout: this.#options.ceilingMs + personMs,
        resetTimeoutOnProgress: true,
        // Asked for always: a server that is busy says so, and is not taken for one that hangs.
        onprogress: onProgress ?? (() => {}),
        ...(signal ? { signal } : {}),
        ...(allowInputRequired ? { allowInputRequired } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw new AppError('cancelled', `The request to ${this.server} was cancelled.`);
      throw this.#translated(error, 'request');
    }
  }

  #onClosed(): void {
    this.#lost = true;
    if (this.#closing === undefined)
      this.#options.onLost?.(
        this.#transport.failure ?? new AppError('mcp_crashed', `The connection to ${this.server} was lost.`),
      );
    for (const listener of this.#closedListeners) listener();
    this.#closedListeners.clear();
    this.#notified.clear();
  }

  /** What the server refused stays as it is, for whoever passes it on. */
  #translated(error: unknown, doing: 'start' | 'request'): unknown {
    const own = appErrorIn(error);
    if (own) return own;
    if (doing === 'request' && error instanceof ProtocolError) return error;
    if (this.#transport.failure) return this.#transport.failure;
    const status = statusOf(error);
    if (error instanceof UnauthorizedError || status === 401 || status === 403)
      return new AppError('upstream_rejected', `${this.server} refuses what we show it (${status ?? 401}).`, {
        cause: error,
      });
    if (isTimeout(error))
      return new AppError('mcp_timeout', `${this.server} did not answer in time.`, { cause: error });
    if (
      error instanceof SdkError &&
      (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected)
    )
      return new AppError('mcp_crashed', `The connection to ${this.server} was lost.`, { cause: error });
    const reason = error instanceof Error ? error.message.slice(0, 300) : 'unknown';
    return new AppError('mcp_protocol', `${this.server} does not keep to the protocol: ${reason}`, { cause: error });
  }
}

const attempt = McpConnection.handshake;

function answerWith(client: Client, { sample, elicit, roots }: McpInteraction): void {
  if (sample)
    client.setRequestHandler('sampling/createMessage', ({ params }, context) => sample(params, context.mcpReq.signal));
  if (elicit)
    client.setRequestHandler('elicitation/create', ({ params }, context) => elicit(params, context.mcpReq.signal));
  if (roots) client.setRequestHandler('roots/list', (_request, context) => roots(context.mcpReq.signal));
}

const isTimeout = (error: unknown): boolean => error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;

const statusOf = (error: unknown): number | undefined =>
  error instanceof SdkHttpError ? error.data.status : error instanceof SseError ? error.code : undefined;

/** An address that does not take what it was sent: what the protocol says to answer with another transport. */
function isOtherTransport(error: unknown): boolean {
  const status = statusOf(error instanceof AppError ? error.cause : error) ?? 0;
  return status >= 400 && status < 500 && ![401, 403, 407, 408, 429].includes(status);
}

/** A refusal of ours may come back wrapped by the library and by fetch. */
function appErrorIn(error: unknown): AppError | undefined {
  let next = error;
  for (let depth = 0; depth < 5 && next instanceof Error; depth += 1) {
    if (next instanceof AppError) return next;
    next = next.cause;
  }
  return undefined;
}
