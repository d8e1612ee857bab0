// An MCP server over stdio that offers what `offers.json` beside it says: prompts, resources, templates, instructions. Its tool
// `change` puts words in the place of others while it runs, and tells that its lists have changed.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

let words = readFileSync(new URL('offers.json', import.meta.url), 'utf8');
const offers = () => JSON.parse(words);
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

const answers = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, prompts: { listChanged: true }, resources: { listChanged: true } },
    serverInfo: { name: 'offering', version: '1' },
    instructions: offers().instructions,
  }),
  ping: () => ({}),
  'tools/list': () => ({
    tools: [
      {
        name: 'change',
        inputSchema: { type: 'object', properties: { from: { type: 'string' }, to: { type: 'string' } } },
      },
    ],
  }),
  'tools/call': ({ arguments: { from, to } }) => {
    words = words.replace(from, to);
    for (const list of ['prompts', 'resources']) send({ method: `notifications/${list}/list_changed` });
    return { content: [{ type: 'text', text: 'changed' }] };
  },
  'prompts/list': () => ({ prompts: offers().prompts }),
  'prompts/get': ({ name }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `prompt ${name}` } }] }),
  'resources/list': () => ({ resources: offers().resources }),
  'resources/read': ({ uri }) => ({ contents: [{ uri, text: `content of ${uri}` }] }),
};
if (!offers().withoutTemplates) answers['resources/templates/list'] = () => ({ resourceTemplates: offers().templates });

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  if (method === offers().hangsAt) return;
  const answer = answers[method];
  send({ id, ...(answer ? { result: answer(params) } : { error: { code: -32601, message: 'Method not found' } }) });
});
