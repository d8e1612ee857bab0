// An MCP server over stdio that asks before it works: `node asking-mcp-server.mjs legacy` within the call, `modern` by the
// call's result. It notes in its answers which process gave them.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';

const modern = process.argv[2] === 'modern';
/** In a sandbox all have the same number. */
const self = randomUUID().slice(0, 8);
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

const FORM = {
  message: 'Which table? **Not bold**',
  requestedSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', title: 'Your name', minLength: 2, maxLength: 20 },
      email: { type: 'string', format: 'email' },
      guests: { type: 'integer', title: 'Guests', minimum: 1, maximum: 8, default: 2 },
      window: { type: 'boolean', title: 'At the window', default: false },
      room: {
        type: 'string',
        oneOf: [
          { const: 'in', title: 'Inside' },
          { const: 'out', title: 'Outside' },
        ],
      },
      extras: {
        type: 'array',
        title: 'Extras',
        maxItems: 1,
        items: {
          anyOf: [
            { const: 'c', title: 'Cake' },
            { const: 'w', title: 'Wine' },
          ],
        },
      },
    },
    required: ['name', 'room'],
  },
};
const CONFIRM = {
  message: 'Really?',
  requestedSchema: { type: 'object', properties: { sure: { type: 'boolean', title: 'Sure' } }, required: ['sure'] },
};
const PAGE = { mode: 'url', message: 'Log in there', url: 'https://login.example.org/start?x=1', elicitationId: 'e-1' };
const QUESTIONS = {
  book: [FORM],
  twice: [FORM, CONFIRM],
  login: [PAGE],
  nested: [{ message: 'x', requestedSchema: { type: 'object', properties: { a: { type: 'object' } } } }],
};
const TOOLS = [...Object.keys(QUESTIONS), 'sample', 'roots'].map((name) => ({
  name,
  description: `Does ${name} after asking.`,
  inputSchema: { type: 'object', properties: { day: { type: 'string' } } },
}));

const said = (answers) => ({
  content: [{ type: 'text', text: `process ${self} was told ${JSON.stringify(answers)}` }],
});

let ids = 0;
const waiting = new Map();
const ask = (params, method = 'elicitation/create') =>
  new Promise((resolve) => {
    ids += 1;
    waiting.set(`ask-${ids}`, resolve);
    send({ id: `ask-${ids}`, method, params });
  });
let offered;

async function call({ name, inputResponses, requestState, _meta }) {
  const questions = QUESTIONS[name];
  if (!modern) {
    if (!offered?.elicitation) return { ...said('nothing: nobody can be asked'), isError: true };
    if (name === 'roots') return said(await ask(undefined, 'roots/list'));
    if (name === 'sample')
      return said(
        await ask(
          {
            messages: [{ role: 'user', content: { type: 'text', text: 'Name a fruit.' } }],
            systemPrompt: 'Be short.',
            maxTokens: 9_999,
          },
          'sampling/createMessage',
        ),
      );
    const answers = [];
    for (const question of questions) answers.push(await ask(question));
    return said(answers);
  }
  const offers = _meta?.['io.modelcontextprotocol/clientCapabilities'];
  if (!offers?.elicitation) return { ...said('nothing: nobody can be asked'), isError: true };
  const answers = [...JSON.parse(requestState ?? '[]'), ...Object.values(inputResponses ?? {})];
  const next = questions[answers.length];
  if (!next) return said(answers);
  return {
    resultType: 'input_required',
    inputRequests: { next: { method: 'elicitation/create', params: next } },
    requestState: JSON.stringify(answers),
  };
}

const answers = {
  ...(modern
    ? {
        'server/discover': () => ({
          supportedVersions: ['2026-07-28'],
          capabilities: { tools: {} },
          serverInfo: { name: 'asking', version: '1' },
          ttlMs: 0,
          cacheScope: 'private',
        }),
      }
    : {
        initialize: ({ capabilities }) => {
          offered = capabilities;
          return {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'asking', version: '1' },
          };
        },
        ping: () => ({}),
      }),
  'tools/list': () => ({ tools: TOOLS, ...(modern ? { ttlMs: 0, cacheScope: 'private' } : {}) }),
  'tools/call': call,
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params, result, error } = JSON.parse(line);
  if (method === undefined) return waiting.get(id)?.(result ?? error);
  if (id === undefined) return;
  const answer = answers[method];
  if (!answer) return send({ id, error: { code: -32601, message: 'Method not found' } });
  const given = await answer(params ?? {});
  send({ id, result: modern ? { resultType: 'complete', ...given } : given });
});
