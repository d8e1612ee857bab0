// Which tags a model of Ollama's library has: from the page that lists them with their sizes, or from the registry, which
// may know their names alone.
import { z } from 'zod';
import { fetchText } from '../download/fetch-text.js';
import { isFetched, type LibraryTag, tagsOnPage } from './library-pages.js';

const MAX_BYTES = 8_388_608;
const MAX_TAGS = 300;
/** @see OCI Distribution Specification, listing tags */
const TagList = z.object({ tags: z.array(z.string().max(200)).max(10_000).nullish() });

export interface LibraryTagsOptions {
  /** Of the library's pages; empty for none. */
  libraryUrl: string;
  /** Of its registry; empty for none. */
  registryUrl: string;
  fetch: typeof fetch;
}

/** Without a tag and without a registry of its own: `llama3.2`, `owner/model`. */
const NAME = /^[\w\-.]{1,100}$|^[\w-]{1,100}\/[\w\-.]{1,100}$/;

/** Null where nobody can say: the person may still know a tag. */
export async function libraryTags(
  options: LibraryTagsOptions,
  modelName: string,
  signal: AbortSignal,
): Promise<LibraryTag[] | null> {
  if (!NAME.test(modelName) || modelName.includes('..')) return null;
  const path = modelName.includes('/') ? modelName : `library/${modelName}`;
  const read = async (base: string, at: string): Promise<string | null> => {
    if (base === '') return null;
    const { status, text } = await fetchText({
      url: `${base.replace(/\/+$/, '')}/${at}`,
      place: 'The Ollama library',
      fetch: options.fetch,
      redirect: 'follow',
      maxBytes: MAX_BYTES,
      signal,
    }).catch(() => ({ status: 0, text: '' }));
    return status === 200 ? text : null;
  };
  const [page, list] = await Promise.all([
    read(options.libraryUrl, `${path}/tags`),
    read(options.registryUrl, `v2/${path}/tags/list`),
  ]);
  const shown = page === null ? [] : tagsOnPage(page, path);
  if (shown.length > 0) return shown;
  const listed = list === null ? [] : namesIn(list);
  return listed.length > 0 ? listed.map((name) => ({ name, sizeBytes: null })) : null;
}

function namesIn(text: string): string[] {
  try {
    const { tags } = TagList.parse(JSON.parse(text));
    return (tags ?? []).filter((name) => /^[\w\-.]{1,100}$/.test(name) && isFetched(name)).slice(0, MAX_TAGS);
  } catch {
    return [];
  }
}
