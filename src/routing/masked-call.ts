// One call with everything sensitive replaced, and its answer with the values put back.
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider';
import { type MaskRestorer, Masks } from './masking.js';
import type { StreamBatches } from './ports.js';
import { type Finding, findSensitiveInTurns, type SensitivityOptions } from './sensitivity.js';

/** Every text a prompt is made of. Words are weighed where a person speaks; of all others only shapes count. */
export function promptTexts(prompt: LanguageModelV4Prompt): { text: string; own: boolean }[] {
  const texts: { text: string; own: boolean }[] = [];
  for (const message of prompt) walk(message.content, (text) => texts.push({ text, own: message.role !== 'user' }));
  return texts;
}

/** Of all that goes along: texts, and files as base64. */
export function promptBytes(prompt: LanguageModelV4Prompt): number {
  let bytes = 0;
  const count = (text: string) => {
    bytes += Buffer.byteLength(text);
  };
  for (const { content } of prompt) walk(content, count);
  for (const base64 of promptFiles(prompt)) bytes += base64.length;
  return bytes;
}

function walk(value: unknown, visit: (text: string) => void): void {
  if (typeof value === 'string') visit(value);
  else if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (isFile(value)) return;
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof URL))
    for (const name in value) if (!STRUCTURE.has(name)) walk((value as Record<string, unknown>)[name], visit);
}

/** Pictures and the like hold no words; whether they may go along is decided for them as a whole. */
const isFile = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'file' && 'mediaType' in value;

/** Base64 of each file that goes along. */
export function promptFiles(prompt: LanguageModelV4Prompt): string[] {
  const files: string[] = [];
  for (const { content } of prompt) {
    if (typeof content === 'string') continue;
    for (const part of content)
      if (part.type === 'file' && part.data.type === 'data' && typeof part.data.data === 'string')
        files.push(part.data.data);
  }
  return files;
}

/** Names of the message's form, not of its content. */
const STRUCTURE = new Set(['type', 'toolCallId', 'toolName', 'mediaType', 'providerOptions', 'filename']);

export class MaskedCall {
  readonly options: LanguageModelV4CallOptions;
  readonly #masks: Masks;

  static async of(options: LanguageModelV4CallOptions, sensitivity: SensitivityOptions): Promise<MaskedCall> {
    const found = new Map<string, readonly Finding[]>();
    for (const { text } of promptTexts(options.prompt))
      if (!found.has(text)) found.set(text, await findSensitiveInTurns(text, sensitivity));
    return new MaskedCall(options, sensitivity, found);
  }

  /** @param found  in each text of the prompt */
  private constructor(
    options: LanguageModelV4CallOptions,
    sensitivity: SensitivityOptions,
    found: ReadonlyMap<string, readonly Finding[]>,
  ) {
    this.#masks = new Masks(sensitivity, [...found.keys()]);
    this.options = {
      ...options,
      prompt: options.prompt.map(
        (message) =>
          ({
            ...message,
            content: mapTexts(message.content, (text) => this.#masks.mask(text, found.get(text))),
          }) as LanguageModelV4Message,
      ),
    };
  }

  get counts(): { kind: string; count: number }[] {
    return this.#masks.counts;
  }

  restore(source: StreamBatches): StreamBatches {
    return this.#masks.size === 0 ? source : this.#restored(source);
  }

  async *#restored(source: StreamBatches): AsyncGenerator<readonly LanguageModelV4StreamPart[]> {
    const masks = this.#masks;
    const open = new Map<string, MaskRestorer>();
    const restorer = (key: string, json = false) => {
      let known = open.get(key);
      if (!known) {
        known = masks.restorer(json ? inJson : undefined);
        open.set(key, known);
      }
      return known;
    };
    for await (const batch of source) {
      const parts: LanguageModelV4StreamPart[] = [];
      for (const part of batch) {
        switch (part.type) {
          case 'text-delta':
          case 'reasoning-delta': {
            const delta = restorer(`${part.type}:${part.id}`).push(part.delta);
            if (delta !== '') parts.push({ ...part, delta });
            break;
          }
          case 'tool-input-delta':
            parts.push({ ...part, delta: restorer(`${part.type}:${part.id}`, true).push(part.delta) });
            break;
          case 'tool-call':
            parts.push({ ...part, input: masks.restore(part.input, inJson) });
            break;
          case 'text-end':
          case 'reasoning-end':
          case 'tool-input-end': {
            const type = part.type.replace('-end', '-delta') as 'text-delta' | 'reasoning-delta' | 'tool-input-delta';
            const rest = open.get(`${type}:${part.id}`)?.end() ?? '';
            open.delete(`${type}:${part.id}`);
            if (rest !== '') parts.push({ type, id: part.id, delta: rest });
            parts.push(part);
            break;
          }
          case 'finish':
            for (const [key, rest] of open) {
              const [type, id] = key.split(/:(.*)/s) as ['text-delta' | 'reasoning-delta' | 'tool-input-delta', string];
              const delta = rest.end();
              if (delta !== '') parts.push({ type, id, delta });
            }
            open.clear();
            parts.push(part);
            break;
          default:
            parts.push(part);
        }
      }
      if (parts.length > 0) yield parts;
    }
  }
}

const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (isFile(value)) return value;
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof URL))
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, STRUCTURE.has(name) ? item : mapTexts(item, change)]),
    );
  return value;
}
