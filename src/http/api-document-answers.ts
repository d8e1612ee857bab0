// What /openapi.json says beside what a route describes itself: what it is for, which number stands for success, and in
// which form a failure comes.
import { SUMMARIES } from './api-summaries.js';

interface Operation {
  tags?: string[];
  summary?: string;
  operationId?: string;
  parameters?: unknown[];
  requestBody?: unknown;
  responses?: Record<string, { description?: string; content?: object }>;
}

export interface ApiDocument {
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, object> };
}

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});

const SCHEMAS = {
  Failure: {
    ...object({ detail: {}, code: text, request_id: text }),
    description: '`detail` is a sentence, or what the code names; docs/errors.md has the codes',
  },
  WrongForm: object({
    detail: {
      type: 'array',
      items: object({
        type: text,
        loc: { type: 'array', items: { type: ['string', 'integer'] } },
        msg: text,
        input: {},
      }),
    },
    code: text,
    request_id: text,
  }),
  TooManyRequests: object({ error: text, message: text, retry_after_seconds: { type: 'integer' } }),
  OpenAiFailure: object({ error: object({ message: text, type: text, param: textOrNull, code: textOrNull }) }),
  AnthropicFailure: object({ type: text, error: object({ type: text, message: text }), request_id: text }),
  OllamaFailure: object({ error: text }),
} satisfies Record<string, object>;

/** Answers that say by their number what was made, or that it is only begun. */
const OTHER_SUCCESS: Readonly<Record<string, string>> = {
  'post /api/v1/tasks': '201',
  'post /api/v1/system/backups': '201',
  'post /api/v1/memory/ingest': '201',
  'post /api/v1/mcp/bundles': '201',
  'post /api/v1/models/starter/install': '202',
};

/** Changes the document in place, and hands it back. */
export function describeAnswers<D extends object>(document: D): D {
  const { paths = {}, components } = document as ApiDocument;
  Object.assign(document, { components: { ...components, schemas: { ...components?.schemas, ...SCHEMAS } } });
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const summary = SUMMARIES[`${method.toUpperCase()} ${path}`];
      operation.tags ??= ['health'];
      if (summary) operation.summary = summary;
      operation.operationId = operationId(method, path);
      const { 200: done, ...others } = operation.responses ?? {};
      const success = OTHER_SUCCESS[`${method} ${path}`] ?? '200';
      operation.responses = {
        ...(done ? { [success]: { ...done, description: 'Success' } } : {}),
        ...failures(path, operation),
        ...others,
      };
    }
  return document;
}

/** What generated clients call it: `get_api_v1_tasks_task_id`. */
const operationId = (method: string, path: string): string =>
  `${method}${path.replace('*', 'name').replace(/\W+/g, '_')}`.replace(/_$/, '');

const failure = (description: string, name: keyof typeof SCHEMAS) => ({
  description,
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
});

function failures(path: string, { parameters = [], requestBody }: Operation): NonNullable<Operation['responses']> {
  if (/^\/v1\/messages(?:\/|$)/.test(path)) return { default: failure('A failure', 'AnthropicFailure') };
  if (path.startsWith('/v1/')) return { default: failure('A failure', 'OpenAiFailure') };
  if (path.startsWith('/api/') && !path.startsWith('/api/v1/'))
    return { default: failure('A failure', 'OllamaFailure') };
  return {
    ...(parameters.length > 0 || requestBody ? { 422: failure('A wrong form', 'WrongForm') } : {}),
    429: failure('Too many requests', 'TooManyRequests'),
    default: failure('A failure', 'Failure'),
  };
}
