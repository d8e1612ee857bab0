// The HTTP server: guard, routes, WebSocket, UI. No decisions.
import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { GoalRepository } from '../chat/campaign/goal.js';
import type { LearnedPhrases } from '../chat/intents/learned-phrases.js';
import type { Orchestrator } from '../chat/orchestrator.js';
import type { ServiceMonitor } from '../chat/services/service-monitor.js';
import type { SessionCopies } from '../chat/sessions/session-copies.js';
import type { SessionPictures } from '../chat/sessions/session-pictures.js';
import type { SimpleMode } from '../chat/simple-mode.js';
import type { RequestTracer } from '../chat/tracing/request-tracer.js';
import type { SessionLabelsDesk } from '../routing/label-release.js';
import { AppError } from '../shared/errors.js';
import type { SkillEditor } from '../skills/custom/skill-editor.js';
import type { ServerRegistry } from '../skills/mcp/server-registry.js';
import { installAdmission } from './admission.js';
import { describeRoutes } from './api-document.js';
import { compilersFactory } from './compilers.js';
import { answerMalformed, installErrorHandler, refuseFrameworkError } from './error-handler.js';
import type { EventHub } from './event-hub.js';
import { eventSocket } from './event-socket.js';
import { type GuardOptions, installGuard } from './guard.js';
import { takeJsonBodies } from './json-body.js';
import { ROUTER_OPTIONS, rememberMethods } from './method-table.js';
import type { Metrics } from './metrics.js';
import { installOwnership } from './ownership.js';
import { installRateLimit, type RateLimitOptions } from './rate-limit.js';
import { installRequestForm } from './request-form.js';
import { type AnthropicRoutesOptions, anthropicRoutes } from './routes/anthropic.js';
import { type BackupRoutesOptions, backupRoutes } from './routes/backups.js';
import { type ChatModesParts, chatModesRoutes } from './routes/chat-modes.js';
import { completionRoutes } from './routes/completions.js';
import { customSkillsRoutes } from './routes/custom-skills.js';
import { flowRoutes } from './routes/flow.js';
import { goalRoutes } from './routes/goals.js';
import { historyRoutes } from './routes/history.js';
import { intentRoutes } from './routes/intents.js';
import { type KnowledgeRoutesOptions, knowledgeRoutes } from './routes/knowledge.js';
import { type LearningRoutesOptions, learningRoutes } from './routes/learning.js';
import { type LlmRuntimeOptions, llmRuntimeRoutes } from './routes/llm-runtime.js';
import { type LlmServersOptions, llmServersRoutes } from './routes/llm-servers.js';
import { type McpRoutesOptions, mcpRoutes } from './routes/mcp.js';
import { type McpBundleRoutesOptions, mcpBundleRoutes } from './routes/mcp-bundles.js';
import { mcpDefinitionsRoutes } from './routes/mcp-definitions.js';
import { type McpEndpointsOptions, mcpEndpoints } from './routes/mcp-endpoints.js';
import { mcpRegistryRoutes } from './routes/mcp-registry.js';
import { type MemoryRoutesOptions, memoryRoutes } from './routes/memory.js';
import { type MetricsRoutesOptions, metricsRoutes } from './routes/metrics.js';
import { type ModelRoutesOptions, modelRoutes } from './routes/models.js';
import { type OAuthRoutesOptions, oauthRoutes } from './routes/oauth.js';
import { type OllamaRoutesOptions, ollamaRoutes } from './routes/ollama.js';
import { type OpenAiRoutesOptions, openAiRoutes } from './routes/openai.js';
import { type ProviderRoutesOptions, providerRoutes } from './routes/providers.js';
import { type QuestionsRoutesOptions, questionsRoutes } from './routes/questions.js';
import { type QueueRoutesOptions, queueRoutes } from './routes/queue.js';
import { type ResponsesRoutesOptions, responsesRoutes } from './routes/responses.js';
import { type RoutingRoutesOptions, routingRoutes } from './routes/routing.js';
import { sessionRoutes } from './routes/sessions.js';
import { simpleChatRoutes } from './routes/simple-chat.js';
import { type SkillsRoutesOptions, skillsRoutes } from './routes/skills.js';
import { type SystemRoutesOptions, systemRoutes } from './routes/system.js';
import { systemServicesRoutes } from './routes/system-services.js';
import { taskRoutes } from './routes/tasks.js';
import { serveUi } from './ui-files.js';

export interface ServerOptions {
  logger: Logger;
  guard: GuardOptions;
  rateLimit: RateLimitOptions;
  bodyLimitBytes: number;
  /** Folder of the built UI; without it only the API is served. */
  webDir: string;
  hub: EventHub;
  metrics: Metrics;
  simple: SimpleMode;
  orchestrator: Orchestrator;
  goals: GoalRepository;
  chatModes: ChatModesParts;
  queue: Omit<QueueRoutesOptions, 'orchestrator'>;
  services: ServiceMonitor;
  counters: Omit<MetricsRoutesOptions, 'metrics'>;
  keepAlive: string;
  memory: MemoryRoutesOptions;
  sessionLabels: SessionLabelsDesk;
  sessionCopies: SessionCopies;
  sessionPictures: SessionPictures;
  knowledge: KnowledgeRoutesOptions;
  learning: LearningRoutesOptions;
  tracer: RequestTracer;
  learned: LearnedPhrases;
  mcp: McpRoutesOptions & McpBundleRoutesOptions & OAuthRoutesOptions & { registry: ServerRegistry };
  models: ModelRoutesOptions;
  llm: LlmServersOptions & LlmRuntimeOptions;
  system: SystemRoutesOptions;
  backups: BackupRoutesOptions;
  openAi: OpenAiRoutesOptions;
  anthropic: AnthropicRoutesOptions;
  responses: ResponsesRoutesOptions;
  ollama: OllamaRoutesOptions;
  mcpEndpoints: McpEndpointsOptions;
  routing: RoutingRoutesOptions;
  skills: SkillsRoutesOptions & QuestionsRoutesOptions & { editor: SkillEditor };
  providers: ProviderRoutesOptions;
}

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const MAX_SOCKETS = 256;

export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: options.logger as FastifyBaseLogger,
    bodyLimit: options.bodyLimitBytes,
    http: {
      // The guard refuses what has no Host, in a form that can be read.
      requireHostHeader: false,
      headersTimeout: 20_000,
      connectionsCheckingInterval: 5_000,
      shouldUpgradeCallback: wantsEvents,
    },
    requestTimeout: 60_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: ROUTER_OPTIONS,
    genReqId: () => crypto.randomUUID(),
    // A logger per request would cost each of them more than the few lines that name one; those name it themselves.
    childLoggerFactory: (logger) => logger,
    requestIdHeader: false,
    schemaController: { compilersFactory },
    frameworkErrors: refuseFrameworkError,
    clientErrorHandler: answerMalformed,
  });
  installErrorHandler(app, rememberMethods(app));
  installAdmission(app);
  installGuard(app, options.guard);
  installOwnership(app);
  installRequestForm(app);
  installRateLimit(app, options.rateLimit);

  takeJsonBodies(app);

  // Callbacks rather than promises: they run for every request.
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('x-frame-options', 'DENY');
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
    if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', request.id);
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    options.metrics.request(request.method, request.routeOptions.url ?? 'unknown', reply.statusCode);
    done();
  });

  const apiDocument = describeRoutes(app, options.system.version);
  await app.register(websocket, {
    // A client that breaks the protocol is no failure of ours.
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error }, 'a WebSocket broke off');
      socket.terminate();
    },
    options: { maxPayload: 65_536, handleProtocols: (offered: Set<string>) => [...offered][0] ?? false },
  });

  app.get('/healthz', { config: { open: true } }, async () => ({ status: 'ok', component: 'venom-core' }));
  app.get('/metrics', async (_request, reply) => {
    reply.type(options.metrics.registry.contentType);
    return options.metrics.registry.metrics();
  });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(await apiDocument()),
  );

  let sockets = 0;
  app.route({
    method: 'GET',
    url: '/ws/events',
    schema: { hide: true },
    handler: async () => {
      throw new AppError('invalid_input', 'This address speaks WebSocket.');
    },
    wsHandler: (socket, request) => {
      if (sockets >= MAX_SOCKETS) return socket.close(1013, 'too many connections');
      sockets += 1;
      const { client, end } = eventSocket(socket);
      const leave = options.hub.add(client, request.owner);
      socket.on('close', () => {
        sockets -= 1;
        end();
        leave();
      });
      return undefined;
    },
  });

  countTraffic(app, options.metrics);
  const { orchestrator } = options;
  await app.register(
    async (api) => {
      await api.register(simpleChatRoutes, { simple: options.simple, keepAlive: options.keepAlive });
      const memoryOf = (id: string) => options.memory.memory.get(id);
      await api.register(sessionRoutes, {
        ...options.memory,
        pictures: options.sessionPictures,
        tracer: options.tracer,
        memoryOf,
        labels: options.sessionLabels,
        copies: options.sessionCopies,
      });
      await api.register(memoryRoutes, options.memory);
      await api.register(knowledgeRoutes, options.knowledge);
      await api.register(learningRoutes, options.learning);
      await api.register(taskRoutes, { orchestrator });
      await api.register(goalRoutes, { goals: options.goals });
      await api.register(queueRoutes, { orchestrator, ...options.queue });
      await api.register(chatModesRoutes, options.chatModes);
      await api.register(flowRoutes, { tracer: options.tracer });
      await api.register(metricsRoutes, { metrics: options.metrics, ...options.counters });
      await api.register(systemServicesRoutes, { services: options.services });
      await api.register(historyRoutes, {
        tracer: options.tracer,
        sessions: options.memory.sessions,
        resultOf: (requestId) => orchestrator.resultOf(requestId),
        memoryOf,
        learning: options.learning.logs,
      });
      await api.register(intentRoutes, { learned: options.learned });
      await api.register(mcpRoutes, options.mcp);
      await api.register(mcpDefinitionsRoutes, options.mcp);
      await api.register(mcpBundleRoutes, options.mcp);
      await api.register(mcpRegistryRoutes, options.mcp);
      await api.register(modelRoutes, options.models);
      await api.register(llmServersRoutes, options.llm);
      await api.register(llmRuntimeRoutes, options.llm);
      await api.register(systemRoutes, options.system);
      await api.register(backupRoutes, options.backups);
      await api.register(routingRoutes, options.routing);
      await api.register(providerRoutes, options.providers);
      await api.register(customSkillsRoutes, options.skills);
      await api.register(skillsRoutes, options.skills);
      await api.register(questionsRoutes, options.skills);
    },
    { prefix: '/api/v1' },
  );
  await app.register(openAiRoutes, { prefix: '/v1', ...options.openAi });
  await app.register(completionRoutes, { prefix: '/v1', ...options.openAi, ...options.anthropic });
  await app.register(ollamaRoutes, { prefix: '/api', ...options.ollama });
  await app.register(responsesRoutes, { prefix: '/v1', ...options.responses });
  await app.register(anthropicRoutes, { prefix: '/v1', ...options.anthropic });
  await app.register(mcpEndpoints, options.mcpEndpoints);
  await app.register(oauthRoutes, options.mcp);
  await serveUi(app, options.webDir);
  return app;
}

/**
 * Any other wish for another protocol is passed over, as HTTP allows: Java's own client asks for HTTP/2 on every request,
 * and is content with an answer.
 */
const wantsEvents = ({ method, headers, url }: IncomingMessage): boolean =>
  method === 'GET' &&
  headers.upgrade?.toLowerCase() === 'websocket' &&
  /^\/ws\/events\/?$/.test(url?.split('?', 1)[0] ?? '');

/** What goes over the wire, both ways, of connections that are open too: a client may keep one for days. */
function countTraffic(app: FastifyInstance, metrics: Metrics): void {
  app.server.on('connection', (socket) => socket.once('close', metrics.connection(socket)));
}
