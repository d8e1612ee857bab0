// A connection as everybody beyond mcp/ has it: only what was agreed to, in the words that were agreed to; calls are timed, and
// it is given back once.
import { AppError } from '../../shared/errors.js';
import type { McpConnection } from './mcp-connection.js';
import {
  instructionsOffer,
  isAgreedOffer,
  isWaitingOffer,
  type OfferDefinition,
  offerHash,
  promptOffer,
  resourceOffer,
  type StoredOffer,
  templateOffer,
} from './offers.js';
import type { McpRequestOptions, McpSession } from './ports.js';
import { definitionHash, type ServerRecord } from './server-definition.js';
import { isCallable, toDefinition } from './tool-inventory.js';

export interface GuardedParts {
  /** As it is now: what is agreed to changes while the session lives. */
  record: () => ServerRecord;
  onCall: (durationMs: number) => void;
  giveBack: () => Promise<void>;
}

export function guardedSession(connection: McpConnection, { record, onCall, giveBack }: GuardedParts): McpSession {
  let closing: Promise<void> | undefined;
  const offers = () => record().active.manifest?.offers ?? [];
  const own: Partial<McpSession> = {
    callTool: async (params, options) => {
      refuseUnapproved(record(), params.name);
      const startedAt = performance.now();
      try {
        return await connection.callTool(params, options);
      } finally {
        onCall(performance.now() - startedAt);
      }
    },
    // A description that nobody has agreed to would steer a model also where its tool cannot be called.
    listTools: async (params, options) => {
      const answer = await connection.listTools(params, options);
      return { ...answer, tools: answer.tools.filter((tool) => isAgreedTool(record(), tool)) };
    },
    listPrompts: async (params, options) => {
      const answer = await connection.listPrompts(params, options);
      return { ...answer, prompts: answer.prompts.filter((each) => isAgreed(offers(), promptOffer(each))) };
    },
    listResources: async (params, options) => {
      const answer = await connection.listResources(params, options);
      return { ...answer, resources: answer.resources.filter((each) => isAgreed(offers(), resourceOffer(each))) };
    },
    listResourceTemplates: async (params, options) => {
      const answer = await connection.listResourceTemplates(params, options);
      return {
        ...answer,
        resourceTemplates: answer.resourceTemplates.filter((each) => isAgreed(offers(), templateOffer(each))),
      };
    },
    getPrompt: async (params, options?: McpRequestOptions) => {
      refuseWaiting(record(), 'prompt', params.name);
      return connection.getPrompt(params, options);
    },
    // One that is listed nowhere was made by a template or named by a tool; its content is read as any tool's answer is.
    readResource: async (params, options?: McpRequestOptions) => {
      refuseWaiting(record(), 'resource', params.uri);
      return connection.readResource(params, options);
    },
    close: () => {
      closing ??= giveBack();
      return closing;
    },
  };
  return new Proxy(connection, {
    get: (target, property) => {
      if (property === 'instructions') {
        const { instructions } = target;
        return instructions && isAgreed(offers(), instructionsOffer(instructions)) ? instructions : null;
      }
      const value = Reflect.get(own, property) ?? Reflect.get(target, property, target);
      return typeof value === 'function' && !(property in own) ? value.bind(target) : value;
    },
  });
}

function refuseUnapproved({ name: server, active }: ServerRecord, name: string): void {
  const tool = active.manifest?.tools.find(({ definition }) => definition.name === name);
  if (!tool || tool.gone) throw new AppError('tool_not_found', `${server} has no tool ${name}.`);
  if (tool.permission === 'never') throw new AppError('forbidden', `${name} of ${server} was switched off.`);
  if (!isCallable(tool))
    throw new AppError(
      'tool_quarantined',
      tool.refused
        ? `${name} of ${server} cannot be used: ${tool.refused}`
        : `${name} of ${server} is new or has changed; it waits for approval.`,
    );
}

function refuseWaiting({ name: server, active }: ServerRecord, kind: 'prompt' | 'resource', name: string): void {
  const stored = active.manifest?.offers?.find(
    ({ definition }) => definition.kind === kind && definition.name === name,
  );
  if (stored?.refused)
    throw new AppError('definition_quarantined', `The ${kind} ${name} of ${server} cannot be used: ${stored.refused}`);
  if (stored && isWaitingOffer(stored))
    throw new AppError(
      'definition_quarantined',
      `The ${kind} ${name} of ${server} is new or has changed; it waits for approval.`,
    );
}

/** As it is listed now, and not only as it was when it was looked at. */
function isAgreedTool({ active }: ServerRecord, tool: Readonly<Record<string, unknown>>): boolean {
  const stored = active.manifest?.tools.find(({ definition }) => definition.name === tool['name']);
  return (
    stored !== undefined &&
    isCallable(stored) &&
    stored.permission !== 'never' &&
    definitionHash(toDefinition(tool)) === stored.hash
  );
}

function isAgreed(offers: readonly StoredOffer[], listed: OfferDefinition): boolean {
  const stored = offers.find(({ definition }) => definition.kind === listed.kind && definition.name === listed.name);
  return stored !== undefined && isAgreedOffer(stored) && offerHash(listed) === stored.hash;
}
