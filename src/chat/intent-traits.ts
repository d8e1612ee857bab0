// What follows from an intent: which need a tool, which need no model, which are answered from a template.
import type { IntentId } from './intent.js';

/** Answered from a template, without context and without a model. */
export const STATIC_INTENTS: ReadonlySet<IntentId> = new Set(['HELP_REQUEST', 'TIME_REQUEST', 'INFRA_STATUS']);

/** Answered from a template, whether it answers or says that it cannot be done. */
export const TEMPLATE_INTENTS: ReadonlySet<IntentId> = new Set([...STATIC_INTENTS, 'UNSUPPORTED_TASK']);

/** Words alone do not do them; without an agent for it the task is unsupported. */
export const TOOL_REQUIRED_INTENTS: ReadonlySet<IntentId> = new Set([
  'TIME_REQUEST',
  'INFRA_STATUS',
  'VERSION_CONTROL',
  'DOCUMENTATION',
  'E2E_TESTING',
  'RELEASE_PROJECT',
  'RESEARCH',
  'FILE_OPERATION',
  'STATUS_REPORT',
]);

/** Nothing is learned from these: neither lessons nor phrases. */
export const NEVER_LEARNING_INTENTS: ReadonlySet<IntentId> = new Set(['TIME_REQUEST', 'INFRA_STATUS']);

/** No model answers them, so their traces name none. */
export const NON_LLM_INTENTS: ReadonlySet<IntentId> = new Set(['TIME_REQUEST', 'INFRA_STATUS', 'UNSUPPORTED_TASK']);

/** More than one agent works on them. */
export const isComplex = (intent: IntentId): boolean => intent === 'COMPLEX_PLANNING' || intent === 'START_CAMPAIGN';
