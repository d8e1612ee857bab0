// An embedder for tests: one dimension per known word, so that what is near what can be read off the text.
import type { Embedder, EmbedderIdentity } from '../../src/chat/memory/ports.js';

const MEANINGS: Readonly<Record<string, number>> = {
  cat: 0,
  kitten: 0,
  feline: 0,
  car: 1,
  automobile: 1,
  vehicle: 1,
  river: 2,
  stream: 2,
  water: 2,
  bread: 3,
  bakery: 3,
  loaf: 3,
  moon: 4,
  night: 4,
  star: 4,
};
const DIMENSIONS = 16;

export class WordEmbedder implements Embedder {
  asked = 0;
  id: string;
  /** Set to make it fail. */
  failure: Error | null = null;

  constructor(id = 'words|1') {
    this.id = id;
  }

  identity = async (): Promise<EmbedderIdentity> => ({ id: this.id, model: 'words' });

  embed = async (texts: readonly string[]): Promise<number[][]> => {
    this.asked += 1;
    if (this.failure) throw this.failure;
    return texts.map(vectorOf);
  };
}

export function vectorOf(text: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(-0.01);
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    const meaning = MEANINGS[word];
    if (meaning !== undefined) vector[meaning] = 1;
  }
  return vector;
}

/** As on a machine without any embedding model. */
export const noEmbedder: Embedder = {
  identity: async () => null,
  embed: async () => {
    throw new Error('there is no embedder');
  },
};
