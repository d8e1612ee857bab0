// One call of a tool, with what the server asks the person on the way. A server of the 2025 era asks within the call, on a
// connection of that person; one of the 2026 era gives its questions as the result, and the call is repeated with the answers.
import { pathToFileURL } from 'node:url';
import {
  type CallToolRequest,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type CreateMessageRequest,
  type CreateMessageResult,
  type ElicitRequest,
  type InputRequiredResult,
  type InputResponses,
  ProtocolError,
  ProtocolErrorCode,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { AskablePerson } from '../ports.js';
import { toElicitResult, toQuestion } from './elicitation.js';
import type { McpServers } from './mcp-servers.js';
import type { McpRequestOptions, McpSession } from './ports.js';
import { toMessageResult, toModelRequest } from './sampling.js';

const ROUNDS_MAX = 10;
const QUESTIONS_OF_ROUND_MAX = 10;
/** It is the server's own and comes back to it as it was; nobody else reads it. */
const STATE_CHARS = 1_000_000;
/** Of the protocol, for a person's no. */
const REJECTED = -1;
const CAPABILITIES = { elicitation: { form: {}, url: {} } };

export interface AskingCall {
  servers: Pick<McpServers, 'session' | 'personalSession' | 'mayReadFolder'>;
  server: string;
  params: CallToolRequest['params'];
  owner: Owner;
  /** Left out where nobody can be asked. */
  person: AskablePerson | undefined;
  options: McpRequestOptions & { signal: AbortSignal };
}

type Result = CallToolResult | InputRequiredResult;

/** @throws AppError as sessions do, `mcp_protocol` where the server asks for ever; ProtocolError of the server */
export async function askingCall(call: AskingCall): Promise<CallToolResult> {
  const { person } = call;
  if (!person)
    return (await withSession(call, (session) => session.callTool(call.params, call.options))) as CallToolResult;
  let further: Record<string, unknown> = {};
  for (let round = 0; round <= ROUNDS_MAX; round += 1) {
    const result = await oneRound(call, person, further);
    if (result === 'again') continue;
    if (!isDemand(result)) return result;
    const { inputRequests, requestState } = result;
    if (typeof requestState === 'string' && requestState.length > STATE_CHARS)
      throw new AppError(
        'mcp_protocol',
        `${call.server} keeps more than ${STATE_CHARS} characters with its questions.`,
      );
    further = {
      ...(inputRequests ? { inputResponses: await answers(call, person, inputRequests) } : {}),
      ...(requestState === undefined ? {} : { requestState }),
    };
  }
  throw new AppError('mcp_protocol', `${call.server} asked in more than ${ROUNDS_MAX} rounds.`);
}

/** `again` where the server wants a page opened before the same call. */
async function oneRound(
  call: AskingCall,
  person: AskablePerson,
  further: Record<string, unknown>,
): Promise<Result | 'again'> {
  try {
    return await withSession(call, (session, personal) =>
      session.callTool(
        {
          ...call.params,
          ...further,
          ...(session.era === 'modern' ? { _meta: { [CLIENT_CAPABILITIES_META_KEY]: CAPABILITIES } } : {}),
        },
        { ...call.options, allowInputRequired: true, ...(personal ? { personMs: person.waitMs } : {}) },
      ),
    );
  } catch (error) {
    if (!(error instanceof UrlElicitationRequiredError)) throw error;
    for (const page of error.elicitations.slice(0, QUESTIONS_OF_ROUND_MAX)) {
      const { action } = await person.ask(toQuestion(page), call.options.signal);
      if (action !== 'accept') throw error;
    }
    return 'again';
  }
}

/** For each round anew: while the person thinks, a process nobody needs may end. */
async function withSession<R>(
  { servers, server, owner, person, options: { signal } }: AskingCall,
  use: (session: McpSession, personal: boolean) => Promise<R>,
): Promise<R> {
  const personal =
    person &&
    (await servers.personalSession(server, owner, {
      interaction: {
        elicit: (request, ended) => elicited(person, request, AbortSignal.any([signal, ended])),
        sample: (request, ended) => sampled(person, request, AbortSignal.any([signal, ended])),
        roots: async () => ({
          roots: servers.mayReadFolder(server, person.folder)
            ? [{ uri: pathToFileURL(person.folder).href, name: 'workspace' }]
            : [],
        }),
      },
      signal,
    }));
  const session = personal ?? (await servers.session(server, { signal }));
  try {
    return await use(session, personal !== undefined);
  } finally {
    await session.close();
  }
}

const elicited = (person: AskablePerson, request: ElicitRequest['params'], signal: AbortSignal) =>
  toldToServer(async () => {
    const question = toQuestion(request);
    return toElicitResult(await person.ask(question, signal), question);
  });

const sampled = (
  person: AskablePerson,
  request: CreateMessageRequest['params'],
  signal: AbortSignal,
): Promise<CreateMessageResult> =>
  toldToServer(async () => {
    const answer = await person.sample(toModelRequest(request), signal);
    if (!answer) throw new ProtocolError(REJECTED, 'The person did not let the model be asked.');
    return toMessageResult(answer, request);
  });

/** It asks for what nobody can be shown, or too much: its own fault, which it is told. */
async function toldToServer<R>(work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && (error.code === 'mcp_protocol' || error.code === 'queue_full'))
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message);
    throw error;
  }
}

async function answers(
  { server, options: { signal } }: AskingCall,
  person: AskablePerson,
  requests: NonNullable<InputRequiredResult['inputRequests']>,
): Promise<InputResponses> {
  const asked = Object.entries(requests);
  if (asked.length > QUESTIONS_OF_ROUND_MAX)
    throw new AppError('mcp_protocol', `${server} asks more than ${QUESTIONS_OF_ROUND_MAX} things at once.`);
  const responses: InputResponses = {};
  for (const [key, request] of asked) {
    if (request.method !== 'elicitation/create')
      throw new AppError('mcp_protocol', `${server} asks for what it was not offered: ${request.method}.`);
    const question = toQuestion(request.params);
    responses[key] = toElicitResult(await person.ask(question, signal), question);
  }
  return responses;
}

const isDemand = (result: Result): result is InputRequiredResult =>
  'resultType' in result && result.resultType === 'input_required';
