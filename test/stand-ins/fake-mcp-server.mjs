// An MCP server over stdio that can be told to misbehave: `node fake-mcp-server.mjs MODE MARKER`. The marker makes its
// processes findable in a list of all.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const mode = process.argv[2] ?? 'ok';
const marker = process.argv[3] ?? 'none';
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

if (mode === 'exit0') process.exit(0);
if (mode === 'exit1') process.exit(1);
if (mode === 'ignores-term') {
  process.on('SIGTERM', () => {});
  // Neither the end of its input ends it.
  setInterval(() => {}, 1_000);
}
if (mode === 'banner') process.stdout.write('Welcome to the fake server!\n\n{"not": "a message"}\n');
if (mode === 'flood') {
  // More than is forgiven, and before it can answer anything.
  const flood = () => process.stdout.write('noise\n'.repeat(2_000));
  flood();
  setInterval(flood, 1);
}
if (mode === 'flood-stderr') {
  const more = () => process.stderr.write(`${'complaint '.repeat(1_000)}\n`, () => setImmediate(more));
  more();
}
if (mode === 'huge-line') process.stdout.write('x'.repeat(20_000_000));
if (mode === 'partial') {
  process.stdout.write('{"jsonrpc": "2.0", "id": 1, "resu');
  setTimeout(() => process.exit(3), 50);
}
if (mode === 'grandchild' || mode === 'grandchild-then-crash' || mode === 'escaping-grandchild')
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', marker], {
    stdio: 'inherit',
    detached: mode === 'escaping-grandchild',
  });

const TOOLS = [
  {
    name: 'echo',
    description: process.env['FAKE_DESCRIPTION'] ?? 'Gives back what it gets.',
    inputSchema: {
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: 'add',
    description: 'Adds two numbers.',
    inputSchema: {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
    outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
  },
  { name: 'environment', description: 'The names and values it was given.', inputSchema: { type: 'object' } },
  { name: 'crash', description: 'Ends in the middle.', inputSchema: { type: 'object' } },
  { name: 'silent', description: 'Never answers.', inputSchema: { type: 'object' } },
  { name: 'busy', description: 'Reports progress, then answers.', inputSchema: { type: 'object' } },
  {
    name: 'connect',
    description: 'Connects to a port of this machine.',
    inputSchema: { type: 'object', properties: { port: { type: 'integer' } } },
  },
  {
    name: 'write',
    description: 'Writes a file.',
    inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
  },
];

const text = (value) => ({ content: [{ type: 'text', text: value }] });

async function call({ name, arguments: input = {}, _meta }) {
  if (name === 'echo') return text(input.text);
  if (name === 'add') return { ...text(String(input.a + input.b)), structuredContent: { sum: input.a + input.b } };
  if (name === 'environment') return text(JSON.stringify(process.env));
  if (name === 'crash') {
    process.stderr.write('about to crash\n');
    setTimeout(() => process.exit(137), 20);
    return undefined;
  }
  if (name === 'silent') return undefined;
  if (name === 'busy') {
    for (let done = 1; done <= 5; done += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (_meta?.progressToken !== undefined)
        send({
          method: 'notifications/progress',
          params: { progressToken: _meta.progressToken, progress: done, total: 5 },
        });
    }
    return text('done');
  }
  if (name === 'connect')
    return new Promise((resolve) => {
      const socket = connect(input.port, '127.0.0.1', () => {
        socket.destroy();
        resolve(text('connected'));
      });
      socket.on('error', (error) => resolve(text(error.code)));
    });
  if (name === 'write') {
    try {
      writeFileSync(input.path, 'written');
      return text('written');
    } catch (error) {
      return { ...text(error.code), isError: true };
    }
  }
  throw { code: -32602, message: `Unknown tool ${name}` };
}

const lines = createInterface({ input: process.stdin });
if (mode === 'closes-stdin') process.stdin.destroy();
lines.on('line', async (line) => {
  if (mode === 'silent') return;
  const { id, method, params } = JSON.parse(line);
  if (mode === 'exits-at-unknown' && method === 'server/discover') process.exit(0);
  if (id === undefined) return;
  if (mode === 'wrong-id') return send({ id: 987_654, result: {} });
  if (mode === 'grandchild-then-crash' && method === 'tools/list') process.exit(1);
  try {
    if (method === 'initialize')
      return send({
        id,
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'fake', version: '1.0.0' },
        },
      });
    if (method === 'ping') return send({ id, result: {} });
    if (method === 'tools/list') {
      if (mode === 'endless-pages') return send({ id, result: { tools: [], nextCursor: String(Math.random()) } });
      return send({ id, result: { tools: TOOLS } });
    }
    if (method === 'tools/call') {
      const result = await call(params);
      if (result) send({ id, result });
      return;
    }
    send({ id, error: { code: -32601, message: 'Method not found' } });
  } catch (error) {
    send({ id, error: { code: error.code ?? -32603, message: error.message ?? 'failed' } });
  }
});
