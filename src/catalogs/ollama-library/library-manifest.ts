// What a model of Ollama's library consists of, asked of its registry before Ollama is told to fetch it.
import { z } from 'zod';
import { fetchText } from '../download/fetch-text.js';

const MAX_BYTES = 1_048_576;
const ACCEPT = 'application/vnd.docker.distribution.manifest.v2+json';

const Layer = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number().int().nonnegative() });
const Manifest = z.object({ config: Layer.nullish(), layers: z.array(Layer).max(1_000) });

export interface LibraryManifestOptions {
  /** Of the registry, which is another host than the library's pages. */
  baseUrl: string;
  fetch: typeof fetch;
}

export type LibraryLayer = z.output<typeof Layer>;

/**
 * Layers with their sizes, or null where the registry has no such model, cannot be reached or says something else:
 * Ollama itself may still know better, by another network or another registry.
 */
export async function libraryLayers(
  { baseUrl, fetch: ask }: LibraryManifestOptions,
  modelName: string,
  signal: AbortSignal,
): Promise<LibraryLayer[] | null> {
  const path = manifestPath(modelName);
  if (path === null) return null;
  try {
    const { status, text } = await fetchText({
      url: `${baseUrl.replace(/\/+$/, '')}/v2/${path}`,
      place: 'The Ollama registry',
      fetch: ask,
      headers: { accept: ACCEPT },
      redirect: 'follow',
      maxBytes: MAX_BYTES,
      signal,
    });
    if (status !== 200) return null;
    const { config, layers } = Manifest.parse(JSON.parse(text));
    return config ? [...layers, config] : layers;
  } catch {
    return null;
  }
}

/** `name`, `name:tag`, `owner/name:tag`; null for a name that bears a registry of its own. */
function manifestPath(modelName: string): string | null {
  const [path = '', tag = 'latest', more] = modelName.split(':');
  const parts = path.split('/');
  if (more !== undefined || parts.length > 2 || (parts.length === 2 && parts[0]?.includes('.'))) return null;
  const name = parts.length === 1 ? `library/${path}` : path;
  return `${name}/manifests/${encodeURIComponent(tag)}`;
}
