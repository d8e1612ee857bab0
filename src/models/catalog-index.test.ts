import { describe, expect, it } from 'vitest';
import { CatalogIndex } from './catalog-index.js';
import type { CatalogEntry } from './ports.js';

const entry = (modelName: string, rest: Partial<CatalogEntry> = {}): CatalogEntry => ({
  provider: 'huggingface',
  modelName,
  displayName: modelName,
  sizeBytes: null,
  runtime: 'llama-cpp',
  tags: [],
  downloads: null,
  likes: null,
  description: null,
  licence: null,
  gated: false,
  ...rest,
});
const names = (index: CatalogIndex, query: string, provider?: string) =>
  index.search(query, { provider, limit: 10 }).entries.map(({ modelName }) => modelName);

describe('CatalogIndex', () => {
  it('finds every word anywhere, the name first, then what many use', () => {
    const index = new CatalogIndex();
    index.add([
      entry('other/thing', { description: 'a distillation of Qwen' }),
      entry('big/llama-qwen-merge', { downloads: 9_000_000 }),
      entry('Qwen/Qwen3-8B', { downloads: 10 }),
      entry('Qwen/Qwen3-4B', { downloads: 500 }),
      entry('qwen', { provider: 'ollama' }),
    ]);
    expect(names(index, 'QWEN')).toEqual([
      'qwen',
      'Qwen/Qwen3-4B',
      'Qwen/Qwen3-8B',
      'big/llama-qwen-merge',
      'other/thing',
    ]);
    expect(names(index, 'qwen 8b')).toEqual(['Qwen/Qwen3-8B']);
    expect(names(index, 'qwen', 'ollama')).toEqual(['qwen']);
    expect(index.search('qwen', { limit: 2, offset: 3 })).toMatchObject({ total: 5, entries: { length: 2 } });
    expect(names(index, '.*')).toEqual([]);
  });

  it('keeps what a poorer answer leaves open, and takes what is new', () => {
    const index = new CatalogIndex();
    index.add([entry('a/b', { sizeBytes: 5, downloads: 1, tags: ['chat'] })]);
    index.add([entry('a/b', { downloads: 2 })]);
    expect(index.search('chat', { limit: 1 }).entries[0]).toMatchObject({ sizeBytes: 5, downloads: 2, tags: ['chat'] });
    expect(index.size).toBe(1);
  });

  it('is bounded: what was seen longest ago is forgotten', () => {
    const index = new CatalogIndex();
    index.add(Array.from({ length: 20_000 }, (_, number) => entry(`m/${number}`)));
    index.add([entry('m/0'), entry('new/one')]);
    expect(index.size).toBe(20_000);
    expect(names(index, 'new/one')).toEqual(['new/one']);
    expect(index.search('m/0', { limit: 1 }).entries[0]?.modelName).toBe('m/0');
    expect(index.search('m/1 ', { limit: 20_000 }).entries.some(({ modelName }) => modelName === 'm/1')).toBe(false);
  });
});
