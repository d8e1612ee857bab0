// Small skills over what this server knows itself: the time, its parts, its models, its memory, translation.
import { z } from 'zod';
import { modelNotFound } from '../../models/meant-model.js';
import { AppError } from '../../shared/errors.js';
import { BaseSkill, type SkillContext, skillFunction } from '../base-skill.js';

const MAX_QUERY_CHARS = 1_000;
const MAX_MEMORY_CHARS = 20_000;
const MAX_TRANSLATED_CHARS = 20_000;

export class TimeSkill extends BaseSkill {
  readonly id = 'time';
  readonly description = 'The current date and time.';
  readonly #now: () => number;

  constructor(now: () => number) {
    super();
    this.#now = now;
  }

  readonly functions = [
    skillFunction({
      name: 'now',
      description: 'The current date and time, in UTC and in a time zone.',
      input: z.object({
        time_zone: z.string().max(100).optional().describe('IANA name, such as Europe/Warsaw; UTC without it'),
      }),
      readOnly: true,
      run: async ({ time_zone }) => {
        const now = new Date(this.#now());
        if (time_zone === undefined) return { text: now.toISOString(), structured: { utc: now.toISOString() } };
        const local = localTime(now, time_zone);
        return {
          text: `${local} in ${time_zone} (${now.toISOString()} UTC)`,
          structured: { utc: now.toISOString(), local, time_zone },
        };
      },
    }),
  ];
}

function localTime(now: Date, timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'long' }).format(now);
  } catch (cause) {
    throw new AppError('invalid_input', `There is no time zone ${timeZone}.`, { cause });
  }
}

export interface SystemFacts {
  reports(): Promise<readonly { name: string; state: string; error: string | null }[]>;
}

export class SystemSkill extends BaseSkill {
  readonly id = 'system';
  readonly description = 'The parts of this server.';
  readonly #facts: SystemFacts;

  constructor(facts: SystemFacts) {
    super();
    this.#facts = facts;
  }

  readonly functions = [
    skillFunction({
      name: 'status',
      description: 'Status of the services of this server: which parts are online.',
      input: z.object({}),
      readOnly: true,
      run: async () => {
        const services = await this.#facts.reports();
        return {
          text: services.map(({ name, state, error }) => `${name}: ${state}${error ? ` (${error})` : ''}`).join('\n'),
          structured: { services },
        };
      },
    }),
  ];
}

/** Whose turn or call it is, as far as the call says. */
type Asking = Pick<SkillContext, 'owner' | 'sessionId' | 'requestId'>;

export interface SkillMemory {
  search(
    query: string,
    options: Asking & { limit: number; signal: AbortSignal },
  ): Promise<readonly { text: string; source: string; labels: readonly string[] }[]>;
  /** `added` is false where it was known already. */
  add(entry: {
    text: string;
    category: string;
    labels: readonly string[];
    asking: Asking;
  }): Promise<{ id: string; added: boolean }>;
}

export class MemorySkill extends BaseSkill {
  readonly id = 'memory';
  readonly description = 'What was remembered from conversations and documents.';
  readonly #memory: SkillMemory;

  constructor(memory: SkillMemory) {
    super();
    this.#memory = memory;
  }

  readonly functions = [
    skillFunction({
      name: 'recall',
      description: 'Searches what was remembered from earlier conversations and stored documents.',
      input: z.object({
        query: z.string().trim().min(1).max(MAX_QUERY_CHARS),
        limit: z.int().min(1).max(20).default(5),
      }),
      readOnly: true,
      run: async ({ query, limit }, { signal, owner, sessionId, requestId }) => {
        const hits = await this.#memory.search(query, { limit, owner, sessionId, requestId, signal });
        return {
          text:
            hits.length === 0 ? 'Nothing was found.' : hits.map(({ text, source }) => `[${source}] ${text}`).join('\n'),
          structured: { hits: hits.map(({ text, source }) => ({ text, source })) },
          labels: [...new Set(hits.flatMap(({ labels }) => labels))],
          // A stored document is a stranger's word, too.
          untrusted: hits.length > 0,
        };
      },
    }),
    skillFunction({
      name: 'memorize',
      description: 'Keeps a fact for later conversations.',
      input: z.object({
        content: z.string().trim().min(1).max(MAX_MEMORY_CHARS),
        category: z.string().trim().min(1).max(100).default('general'),
      }),
      run: async ({ content, category }, { labels, owner, sessionId, requestId }) => {
        const asking = { owner, sessionId, requestId };
        const { id, added } = await this.#memory.add({ text: content, category, labels, asking });
        return { text: added ? 'Remembered.' : 'That was remembered already.', structured: { id, added } };
      },
    }),
  ];
}

export interface SkillTranslator {
  translate(
    text: string,
    target: 'en' | 'pl' | 'de',
    signal: AbortSignal,
  ): Promise<{ text: string; source: string } | null>;
}

export class TranslationSkill extends BaseSkill {
  readonly id = 'translation';
  readonly description = 'Translates texts with the models of this server.';
  readonly #translator: SkillTranslator;

  constructor(translator: SkillTranslator) {
    super();
    this.#translator = translator;
  }

  readonly functions = [
    skillFunction({
      name: 'translate',
      description: 'Translates a text into English, Polish or German.',
      input: z.object({ text: z.string().min(1).max(MAX_TRANSLATED_CHARS), language: z.enum(['en', 'pl', 'de']) }),
      readOnly: true,
      // Routing may choose a cloud for it, and does not know what stuck to the text before.
      egress: true,
      permission: 'always',
      run: async ({ text, language }, { signal, labels }) => {
        const translated = await this.#translator.translate(text, language, signal);
        return { text: translated?.text ?? text, structured: { source: translated?.source ?? language }, labels };
      },
    }),
  ];
}

export interface ModelFacts {
  list(): Promise<readonly { name: string; provider: string; sizeBytes: number | null }[]>;
  describe(name: string): Promise<Readonly<Record<string, unknown>> | null>;
  loaded(): Promise<readonly { name: string; provider: string }[]>;
}

export class ModelsSkill extends BaseSkill {
  readonly id = 'models';
  readonly description = 'The language models of this machine.';
  readonly #facts: ModelFacts;

  constructor(facts: ModelFacts) {
    super();
    this.#facts = facts;
  }

  readonly functions = [
    skillFunction({
      name: 'list',
      description: 'Installed language models.',
      input: z.object({}),
      readOnly: true,
      run: async () => {
        const models = await this.#facts.list();
        return {
          text: models.map(({ name, provider }) => `${name} (${provider})`).join('\n') || 'None is installed.',
          structured: { models },
        };
      },
    }),
    skillFunction({
      name: 'show',
      description: 'Size, context window and measured capabilities of one installed language model.',
      input: z.object({ name: z.string().min(1).max(500) }),
      readOnly: true,
      run: async ({ name }) => {
        const found = await this.#facts.describe(name);
        if (!found) throw modelNotFound(name);
        return { text: JSON.stringify(found, null, 1), structured: found };
      },
    }),
    skillFunction({
      name: 'ps',
      description: 'Language models that are in memory now.',
      input: z.object({}),
      readOnly: true,
      run: async () => {
        const models = await this.#facts.loaded();
        return {
          text: models.map(({ name, provider }) => `${name} (${provider})`).join('\n') || 'None is in memory.',
          structured: { models },
        };
      },
    }),
  ];
}
