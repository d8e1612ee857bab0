// Models in the form of Ollama's lists.
import { createHash } from 'node:crypto';
import type { Abilities, Ability } from '../../models/abilities.js';
import type { LoadedModel } from '../../models/model-manager.js';
import type { ModelDescription, RuntimeModel } from '../../runtimes/runtime.js';
import { isoUtc } from '../../shared/clock.js';

/** What is kept for ever expires in some far century, as with Ollama itself. */
const NEVER = '2318-01-01T00:00:00.000Z';
const UNKNOWN_DATE = '1970-01-01T00:00:00.000Z';

function details(model: RuntimeModel | undefined, description: ModelDescription | null) {
  const family = description?.family ?? model?.family;
  return {
    parent_model: '',
    format: model?.format === 'folder' ? 'safetensors' : 'gguf',
    family: family ?? '',
    families: family ? [family] : null,
    parameter_size: description?.parameterSize ?? model?.parameterSize ?? '',
    quantization_level: description?.quantization ?? model?.quantization ?? '',
  };
}

const modifiedAt = (model: RuntimeModel, installedAt: number | null): string => {
  const at = installedAt ?? model.modifiedAt;
  return at === undefined ? UNKNOWN_DATE : isoUtc(at);
};

/** Clients cut it short without looking, so there must be one: an id at least, where nobody has hashed the weights. */
const digestOf = ({
  digest,
  provider,
  name,
  sizeBytes,
}: Pick<RuntimeModel, 'digest' | 'provider' | 'name' | 'sizeBytes'>) =>
  digest?.replace(/^sha256:/, '') ?? createHash('sha256').update(`${provider}|${name}|${sizeBytes}`).digest('hex');

export const toTag = (model: RuntimeModel, installedAt: number | null): object => ({
  name: model.name,
  model: model.name,
  modified_at: modifiedAt(model, installedAt),
  size: model.sizeBytes ?? 0,
  digest: digestOf(model),
  details: details(model, null),
});

export const toRunning = (loaded: LoadedModel, model: RuntimeModel | undefined): object => ({
  name: loaded.name,
  model: loaded.name,
  size: loaded.sizeBytes ?? 0,
  digest: model ? digestOf(model) : digestOf({ ...loaded, provider: loaded.runtime, digest: null }),
  details: details(model, null),
  expires_at: loaded.expiresAt === null ? NEVER : isoUtc(loaded.expiresAt),
  size_vram: loaded.vramBytes ?? 0,
});

export function toShown(
  model: RuntimeModel,
  description: ModelDescription | null,
  abilities: Abilities,
  installedAt: number | null,
): object {
  const family = description?.family;
  const named = description?.capabilities ?? [model.embedding ? 'embedding' : 'completion'];
  // Clients offer tools, pictures and thoughts by this list, so what a trial found goes before what an engine says.
  const tried = (Object.keys(abilities) as Ability[]).filter((ability) => abilities[ability] !== null);
  const capabilities = [
    ...named.filter((name) => !tried.some((ability) => ability === name)),
    ...tried.filter((ability) => abilities[ability]),
  ];
  return {
    modelfile: `FROM ${model.name}\n`,
    parameters: Object.entries(description?.parameters ?? {})
      .map(([name, value]) => `${name.padEnd(30)} ${value}`)
      .join('\n'),
    template: description?.template ?? '',
    license: description?.license ?? '',
    details: details(model, description),
    // Some clients need it to be there; those that find the architecture in it expect all the rest.
    model_info:
      family && description.parameterCount && description.contextLength && description.embeddingLength
        ? {
            'general.architecture': family,
            'general.parameter_count': description.parameterCount,
            [`${family}.context_length`]: description.contextLength,
            [`${family}.embedding_length`]: description.embeddingLength,
          }
        : {},
    capabilities,
    modified_at: modifiedAt(model, installedAt),
  };
}
