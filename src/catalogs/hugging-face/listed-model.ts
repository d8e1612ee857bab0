// One model of Hugging Face's list as an entry of our catalogue: what it can do, and how large it is. Pure.
import type { z } from 'zod';
import type { OfferedAbility } from '../../models/discovery-terms.js';
import { parametersOf } from '../../models/parameter-count.js';
import type { CatalogEntry } from '../../models/ports.js';
import type { ListedModel } from './hugging-face-api.js';

type Listed = z.output<typeof ListedModel>;

/** Tasks by the hub's names. @see Hugging Face, tasks */
const VISION = new Set(['image-text-to-text', 'any-to-any', 'visual-question-answering', 'image-to-text']);
const EMBEDDING = new Set(['feature-extraction', 'sentence-similarity']);
const TOOL_TAGS = new Set(['function-calling', 'function calling', 'tool-use', 'tool-calling', 'tools']);
const MAX_TAGS = 12;

export function toEntry(model: Listed): CatalogEntry {
  const tags = (model.tags ?? []).filter((tag) => tag.length <= 100);
  return {
    provider: 'huggingface',
    modelName: model.id,
    displayName: model.id.split('/').at(-1) ?? model.id,
    sizeBytes: null,
    runtime: tags.includes('gguf') ? 'llama-cpp' : 'vllm',
    tags: tags.filter((tag) => !tag.includes(':')).slice(0, MAX_TAGS),
    downloads: model.downloads ?? null,
    likes: model.likes ?? null,
    description: null,
    licence: tags.find((tag) => tag.startsWith('license:'))?.slice('license:'.length) ?? null,
    gated: model.gated === true || typeof model.gated === 'string',
    abilities: abilitiesOf(model, tags),
    parameters: counted(model.gguf?.total) ?? counted(model.safetensors?.total) ?? parametersOf(model.id),
  };
}

function abilitiesOf({ pipeline_tag: task, gguf }: Listed, tags: readonly string[]): OfferedAbility[] {
  const template = gguf?.chat_template ?? '';
  const is = (tasks: ReadonlySet<string>) => (task ? tasks.has(task) : tags.some((tag) => tasks.has(tag)));
  if (is(EMBEDDING)) return ['embedding'];
  const abilities: OfferedAbility[] = [];
  // A base model continues texts; one that was tuned for talk says so, or brings a template for it.
  if (template !== '' || tags.includes('conversational') || (task == null && tags.includes('gguf')))
    abilities.push('chat');
  if (/\btools\b/.test(template) || tags.some((tag) => TOOL_TAGS.has(tag))) abilities.push('tools');
  if (is(VISION)) abilities.push('vision');
  if (/<\/?think>|enable_thinking/.test(template)) abilities.push('thinking');
  return abilities;
}

const counted = (total: number | null | undefined): number | null =>
  typeof total === 'number' && Number.isFinite(total) && total > 0 ? total : null;
