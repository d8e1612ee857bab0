// The tools, resources and prompts that the conformance suite asks for by name, on the library that Venom's own server uses.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

// One red pixel, and the header of an empty recording.
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

export interface FixtureEvents {
  toolsChanged(): void;
  promptsChanged(): void;
}

const codec = createRequestStateCodec<Record<string, unknown>>({ key: randomBytes(32) });
const mint = (payload: Record<string, unknown>) => codec.mint({ ...payload, nonce: randomBytes(8).toString('hex') });

type Work = (
  args: Record<string, unknown>,
  context: ServerContext,
) => CallToolResult | InputRequiredResult | Promise<CallToolResult | InputRequiredResult>;

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
const resource = (uri: string, mimeType: string, value: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: value },
});
const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' };
const form = (message: string, name: string, type: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] } as never,
  });
const question = (prompt: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens: 50,
  });

export function fixtureServer(events: FixtureEvents): McpServer {
  const server = new McpServer(
    { name: 'conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: codec.verify },
    },
  );
  const tool = (name: string, work: Work, inputSchema: Record<string, unknown> = { type: 'object' }) =>
    server.registerTool(
      name,
      { description: `Fixture ${name}`, inputSchema: fromJsonSchema<Record<string, unknown>>(inputSchema) },
      work,
    );

  contentTools(tool);
  streamTools(tool, events);
  askingTools(tool);
  inputRequiredTools(tool);
  fixtureResources(server);
  fixturePrompts(server);
  server.server.setRequestHandler('logging/setLevel', async () => ({}));
  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: ['paris', 'park'], total: 2, hasMore: false },
  }));
  return server;
}

type Register = (name: string, work: Work, inputSchema?: Record<string, unknown>) => unknown;

function contentTools(tool: Register): void {
  tool('test_simple_text', () => text('This is a simple text response for testing.'));
  tool('test_image_content', () => ({ content: [image] }));
  tool('test_audio_content', () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }));
  tool('test_embedded_resource', () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  tool('test_multiple_content_types', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }));
  tool('test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  tool('test_x_mcp_header', (args) => text(`region=${args['region'] ?? 'none'}`), {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } },
  });
  tool('json_schema_2020_12_tool', (args) => text(JSON.stringify(args)), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  });
}

function streamTools(tool: Register, events: FixtureEvents): void {
  tool('test_tool_with_logging', async (_args, { mcpReq }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
      await sleep(50);
    }
    return text('Tool with logging executed successfully');
  });
  tool('test_tool_with_progress', async (_args, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` },
      });
      await sleep(50);
    }
    return text(String(progressToken ?? 'no-progress-token'));
  });
  tool('test_reconnection', async (_args, { http }) => {
    http?.closeSSE?.();
    await sleep(100);
    return text('The client came back.');
  });
  tool('test_logging_tool', async (_args, { mcpReq }) => {
    await mcpReq.log('info', 'test_logging_tool ran');
    return text('logged');
  });
  tool('test_streaming_elicitation', () => text('result frames only'));
  tool('test_trigger_tool_change', () => {
    events.toolsChanged();
    return text('tools changed');
  });
  tool('test_trigger_prompt_change', () => {
    events.promptsChanged();
    return text('prompts changed');
  });
}

/** What a server of the 2025 era asks while it works. */
function askingTools(tool: Register): void {
  const elicit = (
    name: string,
    message: (args: Record<string, unknown>) => string,
    properties: object,
    required: string[],
  ) =>
    tool(
      name,
      async (args, { mcpReq }) => {
        const answer = await mcpReq.send({
          method: 'elicitation/create',
          params: { message: message(args), requestedSchema: { type: 'object', properties, required } },
        });
        return text(`action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
      },
      { type: 'object', properties: { message: { type: 'string' } } },
    );

  tool(
    'test_sampling',
    async (args, { mcpReq }) => {
      const answer = await mcpReq.send({
        method: 'sampling/createMessage',
        params: {
          messages: [{ role: 'user', content: { type: 'text', text: String(args['prompt']) } }],
          maxTokens: 100,
        },
      });
      const { content } = answer as { content?: { text?: string } };
      return text(`LLM response: ${content?.text ?? 'none'}`);
    },
    { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
  );
  elicit('test_elicitation', (args) => String(args['message']), { response: { type: 'string' } }, ['response']);
  elicit(
    'test_elicitation_sep1034_defaults',
    () => 'Please review the form',
    {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    },
    [],
  );
  const titled = (first: string) =>
    ['First', 'Second', 'Third'].map((ordinal, index) => ({
      const: `value${index + 1}`,
      title: `${ordinal} ${first}`,
    }));
  elicit(
    'test_elicitation_sep1330_enums',
    () => 'Please choose',
    {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: { type: 'string', oneOf: titled('Option') },
      legacyEnum: {
        type: 'string',
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three'],
      },
      untitledMulti: {
        type: 'array',
        minItems: 1,
        maxItems: 3,
        items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      },
      titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled('Choice') } },
    },
    [],
  );
}

/** How a server of the 2026 era gets its input: a result that asks, and the same request again with answers. */
function inputRequiredTools(tool: Register): void {
  tool('test_missing_capability', (_args, { mcpReq }) =>
    mcpReq.inputResponses?.['llm_answer'] === undefined
      ? inputRequired({ inputRequests: { llm_answer: question('Reply with one word') } })
      : text('sampling round-trip complete'),
  );
  tool('test_input_required_result_elicitation', (_args, { mcpReq }) => {
    const name = acceptedContent<{ name: string }>(mcpReq.inputResponses, 'user_name')?.name;
    return typeof name === 'string'
      ? text(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: form('What is your name?', 'name', 'string') } });
  });
  tool('test_input_required_result_sampling', (_args, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.['capital_question'] as { content?: { text?: string } } | undefined;
    return answer
      ? text(`Sampling response: ${answer.content?.text ?? JSON.stringify(answer)}`)
      : inputRequired({ inputRequests: { capital_question: question('What is the capital of France?') } });
  });
  tool('test_input_required_result_list_roots', (_args, { mcpReq }) => {
    const answer = mcpReq.inputResponses?.['client_roots'] as { roots?: { uri?: string }[] } | undefined;
    return Array.isArray(answer?.roots)
      ? text(`Roots: ${answer.roots.map(({ uri }) => uri).join(', ')}`)
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  tool('test_input_required_result_request_state', async (_args, { mcpReq }) => {
    if (acceptedContent(mcpReq.inputResponses, 'confirm') === undefined)
      return inputRequired({
        inputRequests: { confirm: form('Please confirm', 'ok', 'boolean') },
        requestState: await mint({ tool: 'request_state' }),
      });
    if (mcpReq.requestState() === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid requestState');
    return text('state-ok: verified and confirmed');
  });
  tool('test_input_required_result_multiple_inputs', async (_args, { mcpReq }) => {
    const answers = mcpReq.inputResponses;
    const name = acceptedContent<{ name: string }>(answers, 'user_name')?.name;
    const greeting = (answers?.['greeting'] as { content?: { text?: string } } | undefined)?.content?.text;
    const roots = (answers?.['client_roots'] as { roots?: unknown[] } | undefined)?.roots;
    if (typeof name === 'string' && typeof greeting === 'string' && Array.isArray(roots))
      return text(`${greeting} ${name}, ${roots.length} roots`);
    return inputRequired({
      inputRequests: {
        user_name: form('What is your name?', 'name', 'string'),
        greeting: question('Generate a greeting'),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await mint({ tool: 'multiple_inputs' }),
    });
  });
  tool('test_input_required_result_multi_round', async (_args, { mcpReq }) => {
    const state = mcpReq.requestState<{ round?: number; name?: string }>();
    if (state?.round === 1)
      return inputRequired({
        inputRequests: { step2: form('Step 2: What is your favorite color?', 'color', 'string') },
        requestState: await mint({
          round: 2,
          name: acceptedContent<{ name: string }>(mcpReq.inputResponses, 'step1')?.name ?? 'unknown',
        }),
      });
    if (state?.round === 2)
      return text(
        `${state.name} likes ${acceptedContent<{ color: string }>(mcpReq.inputResponses, 'step2')?.color ?? 'nothing'}`,
      );
    return inputRequired({
      inputRequests: { step1: form('Step 1: What is your name?', 'name', 'string') },
      requestState: await mint({ round: 1 }),
    });
  });
  tool('test_input_required_result_tampered_state', async (_args, { mcpReq }) =>
    mcpReq.requestState() !== undefined && acceptedContent(mcpReq.inputResponses, 'confirm') !== undefined
      ? text('integrity-ok: requestState verified')
      : inputRequired({
          inputRequests: { confirm: form('Please confirm', 'ok', 'boolean') },
          requestState: await mint({ tool: 'tampered_state' }),
        }),
  );
  tool('test_input_required_result_capabilities', (_args, { mcpReq }) => {
    if (mcpReq.inputResponses !== undefined) return text('Capability-aware input requests fulfilled');
    const declared = (mcpReq.envelope as Record<string, ClientCapabilities | undefined> | undefined)?.[
      CLIENT_CAPABILITIES_META_KEY
    ];
    const inputRequests: InputRequests = {};
    if (declared?.elicitation) inputRequests['user_name'] = form('What is your name?', 'name', 'string');
    if (declared?.sampling) inputRequests['greeting'] = question('Generate a greeting');
    if (declared?.roots) inputRequests['client_roots'] = inputRequired.listRoots();
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : text('Nothing can be asked for');
  });
}

function fixtureResources(server: McpServer): void {
  const one = (name: string, uri: string, mimeType: string, content: { text: string } | { blob: string }) =>
    server.registerResource(name, uri, { title: name, description: `Fixture ${name}`, mimeType }, () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  one('static-text', 'test://static-text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  });
  one('static-binary', 'test://static-binary', 'image/png', { blob: PNG });
  one('watched-resource', 'test://watched-resource', 'text/plain', { text: 'Watched resource content' });
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { title: 'template', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  server.server.setRequestHandler('resources/subscribe', async () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', async () => ({}));
}

function fixturePrompts(server: McpServer): void {
  const said = (value: string) => ({ role: 'user' as const, content: { type: 'text' as const, text: value } });
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments' }, () => ({
    messages: [said('This is a simple prompt for testing.')],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'With arguments',
      argsSchema: z.object({ arg1: z.string().describe('First'), arg2: z.string().describe('Second') }),
    },
    ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: z.object({ resourceUri: z.string().describe('Its address') }) },
    ({ resourceUri }) => ({
      messages: [
        { role: 'user', content: resource(resourceUri, 'text/plain', 'Embedded resource content for testing.') },
        said('Please process the embedded resource above.'),
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => ({
    messages: [{ role: 'user', content: image }, said('Please analyze the image above.')],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, (context) => {
    const given = acceptedContent<{ context: string }>(
      (context as ServerContext).mcpReq.inputResponses,
      'user_context',
    )?.context;
    return typeof given === 'string'
      ? { messages: [said(`Use the following context: ${given}`)] }
      : inputRequired({ inputRequests: { user_context: form('Which context?', 'context', 'string') } });
  });
}
