// Where a model comes from when only a name is given, as Ollama's clients give it. Decides, and fetches nothing.
import type { ModelManifest } from './manifest.js';

export interface PullTarget {
  name: string;
  provider: string;
  runtime: string;
}

const HUB = /^(?:https:\/\/)?(?:hf\.co|huggingface\.co)\//;
const LIBRARY = /^(?:https:\/\/)?(?:registry\.)?ollama\.(?:ai|com)\/(?:library\/)?|^library\//;

/**
 * @param name  `qwen3:4b`, `hf.co/org/model`, `hf.co/org/model:Q4_K_M`
 * @param bundled  names our own catalogue offers for the embedded engine
 * @param ollama  whether an Ollama is there to fetch for itself
 */
export function pullTarget(
  name: string,
  { bundled, ollama }: { bundled: ReadonlySet<string>; ollama: boolean },
): PullTarget {
  if (HUB.test(name)) return { name: name.replace(HUB, ''), provider: 'huggingface', runtime: 'llama-cpp' };
  const short = name.replace(LIBRARY, '').replace(/:latest$/, '');
  if (!ollama && bundled.has(short)) return { name: short, provider: 'python-index', runtime: 'llama-cpp' };
  return { name: name.replace(LIBRARY, ''), provider: 'ollama', runtime: 'ollama' };
}

/** The name here of what was pulled as `hf.co/org/model`, with the quantization that was asked for, or undefined. */
export function pulledAs(
  name: string,
  manifests: readonly Pick<ModelManifest, 'name' | 'source'>[],
): string | undefined {
  if (!HUB.test(name)) return undefined;
  const [repository = '', quantization = ''] = name.replace(HUB, '').split(':');
  return manifests.find(
    ({ source }) =>
      source?.startsWith(`${repository}@`) &&
      (source.split('/').at(-1) ?? '').toLowerCase().includes(quantization.replace(/^latest$/, '').toLowerCase()),
  )?.name;
}
