// What the gateway, the chat and the routes see of imported MCP servers, and what mcp/ needs from outside. The protocol's own
// words come from its official library's types; no I/O here.
import type {
  CallToolRequest,
  CallToolResult,
  CompleteRequest,
  CompleteResult,
  CreateMessageRequest,
  CreateMessageResult,
  ElicitRequest,
  ElicitResult,
  GetPromptRequest,
  GetPromptResult,
  Implementation,
  InputRequiredResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListRootsResult,
  ListToolsResult,
  LoggingLevel,
  Progress,
  ReadResourceResult,
  ServerCapabilities,
} from '@modelcontextprotocol/client';
import type { ErrorCode } from '../../shared/errors.js';
import type { ImportPlan } from './import-plan.js';
import type { ImportRequest } from './import-request.js';
import type { GrantStatus } from './remote-authorizations.js';
import type { ServerRecord } from './server-definition.js';

/** How well a server's processes are kept away from the rest of the machine, best first. */
export const ISOLATION_TIERS = ['sandboxed', 'namespaced', 'plain'] as const;
export type IsolationTier = (typeof ISOLATION_TIERS)[number];

export const SERVER_STATES = [
  /** Imported from a configuration or a plan, not yet approved or not yet looked at. */
  'configured',
  /** Its tools are known and stored; no process. */
  'known',
  'starting',
  'running',
  /** Ended by itself; starts again after a pause. */
  'backing_off',
  /** Ended too often; a person must restart it. */
  'crash_loop',
  'disabled',
  /** A remote server that is used only after a person has logged in there. */
  'needs_authorization',
] as const;
export type ServerState = (typeof SERVER_STATES)[number];

/** An imported server as it is known now. */
export interface ImportedServer {
  name: string;
  title: string;
  /** `sse` is the transport of 2024, of servers that know no other. */
  transport: 'stdio' | 'http' | 'sse';
  state: ServerState;
  enabled: boolean;
  trusted: boolean;
  /** Null for a remote server. */
  isolation: IsolationTier | null;
  pid: number | null;
  era: 'modern' | 'legacy' | null;
  protocolVersion: string | null;
  serverInfo: Implementation | null;
  capabilities: ServerCapabilities;
  /** Where it came from, such as a repository's address, and the commit or version that is active. */
  source: { kind: 'git' | 'npm' | 'pypi' | 'config' | 'bundle' | 'remote'; location: string; version: string | null };
  /** How many tools may be called, and how many wait because their definition is new or has changed. */
  tools: number;
  quarantined: number;
  /** The same of prompts, resources, their templates and instructions. */
  quarantinedOffers: number;
  restarts: number;
  lastError: { code: ErrorCode; message: string; at: number } | null;
  /** Milliseconds; null before the first call. */
  callMs: { p50: number; p99: number; count: number } | null;
  /** Of a remote server that wants a login; null for one that never asked. */
  authorization: GrantStatus | null;
  /** When its tools were last listed. Milliseconds since the epoch, UTC, as every instant here. */
  listedAt: number | null;
}

export interface McpRequestOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Milliseconds without an answer or progress; the server's own setting where it is left out. */
  idleTimeoutMs?: number;
  /** What a person may take of it; comes on top of the time the server has. */
  personMs?: number;
  /** Modern era: gives a demand for input back to the caller instead of answering it by the session's interaction. */
  allowInputRequired?: boolean;
}

/** What a server may ask of whoever uses it. A missing member is a capability that is not offered. */
export interface McpInteraction {
  sample?: (request: CreateMessageRequest['params'], signal: AbortSignal) => Promise<CreateMessageResult>;
  elicit?: (request: ElicitRequest['params'], signal: AbortSignal) => Promise<ElicitResult>;
  roots?: (signal: AbortSignal) => Promise<ListRootsResult>;
}

/** Such as `notifications/tools/list_changed`, `notifications/message`, `notifications/resources/updated`. */
export interface McpNotification {
  method: string;
  params: Readonly<Record<string, unknown>> | undefined;
}

type Paged = { cursor?: string };

/**
 * A started, connected server. Failures are AppErrors: `mcp_crashed`, `mcp_protocol`, `mcp_timeout`, `cancelled`; what the
 * server itself refused is the library's ProtocolError, with the server's code and data as they came.
 */
export interface McpSession {
  readonly server: string;
  readonly era: 'modern' | 'legacy';
  readonly protocolVersion: string;
  readonly serverInfo: Implementation | null;
  readonly capabilities: ServerCapabilities;
  readonly instructions: string | null;
  /** Without a cursor all pages, bounded; with one that page. As the server says it, without what nobody has agreed to. */
  listTools(params?: Paged, options?: McpRequestOptions): Promise<ListToolsResult>;
  /** Refuses a tool whose definition is not the approved one. @throws AppError `tool_quarantined`, `tool_not_found` */
  callTool(
    params: CallToolRequest['params'],
    options?: McpRequestOptions,
  ): Promise<CallToolResult | InputRequiredResult>;
  listResources(params?: Paged, options?: McpRequestOptions): Promise<ListResourcesResult>;
  listResourceTemplates(params?: Paged, options?: McpRequestOptions): Promise<ListResourceTemplatesResult>;
  readResource(
    params: { uri: string } & Record<string, unknown>,
    options?: McpRequestOptions,
  ): Promise<ReadResourceResult | InputRequiredResult>;
  subscribeResource(params: { uri: string }, options?: McpRequestOptions): Promise<void>;
  unsubscribeResource(params: { uri: string }, options?: McpRequestOptions): Promise<void>;
  listPrompts(params?: Paged, options?: McpRequestOptions): Promise<ListPromptsResult>;
  getPrompt(
    params: GetPromptRequest['params'],
    options?: McpRequestOptions,
  ): Promise<GetPromptResult | InputRequiredResult>;
  complete(params: CompleteRequest['params'], options?: McpRequestOptions): Promise<CompleteResult>;
  /** Legacy era only; nothing on a modern server. */
  setLoggingLevel(level: LoggingLevel, options?: McpRequestOptions): Promise<void>;
  /** @returns takes the listener away again */
  onNotification(listener: (notification: McpNotification) => void): () => void;
  /** Called once, when the connection has ended for whatever reason. @returns takes the listener away again */
  onClose(listener: () => void): () => void;
  /** Gives a shared session back; ends the processes of an own one. Safe to call twice. */
  close(): Promise<void>;
}

export interface SessionRequest {
  /**
   * An own connection (and, over stdio, an own process) that answers what the server asks through this. Without it the
   * connection is shared with other callers and offers nothing: answers and questions of one user never reach another.
   */
  interaction?: McpInteraction;
  signal?: AbortSignal;
}

/** The imported servers, for whoever lists them or passes them on. */
export interface ImportedServers {
  /** In the order of their names; starts nothing. */
  list(): readonly ImportedServer[];
  get(name: string): ImportedServer | undefined;
  /**
   * Starts the server where it does not run.
   * @throws AppError `mcp_server_not_found`, `mcp_server_disabled`, `mcp_start_timeout`, `mcp_crashed`, `mcp_protocol`
   */
  session(name: string, request?: SessionRequest): Promise<McpSession>;
  /** A server, its state or its tools changed. @returns takes the listener away again */
  onChange(listener: (server: string) => void): () => void;
}

/** Imported servers on disk, each whole. */
export interface ServerRepository {
  all(): ServerRecord[];
  /** On disk when it returns. */
  save(record: ServerRecord): void;
  delete(name: string): void;
}

/** Secrets by name. Their values leave it only into the environment or the headers of the server they are meant for. */
export interface SecretStore {
  names(): string[];
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  delete(name: string): void;
}

/** Plans that wait for an administrator, with what was asked for. */
export interface PlanRepository {
  /** Newest first. */
  all(): ImportPlan[];
  get(planId: string): ImportPlan | undefined;
  request(planId: string): ImportRequest | undefined;
  /** On disk when it returns. */
  save(plan: ImportPlan, request: ImportRequest): void;
  delete(planId: string): void;
}
