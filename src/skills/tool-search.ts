// Which tools fit some words: an index over names, titles and descriptions. What worked before comes first among equals.
// No I/O and no clock.
import { foldText } from '../shared/fold-text.js';
import type { ToolDescriptor } from './ports.js';

const NAME_WEIGHT = 3;
const TITLE_WEIGHT = 2;
const DESCRIPTION_WEIGHT = 1;
const MAX_DESCRIPTION_CHARS = 2_000;
const MAX_QUERY_CHARS = 4_000;
const MAX_QUERY_WORDS = 64;
const COMPOUND = /[a-z0-9]+(?:[_-]+[a-z0-9]+)+/g;
const SUCCESS_WEIGHT = 0.2;
/** Calls after which a tool's record counts for half of what it could. */
const HALF_TRUST_CALLS = 4;

export interface ToolHit {
  tool: ToolDescriptor;
  score: number;
  /** Share of the query's weight the tool's words carry, 0..1. */
  coverage: number;
  /** How many of the query's words it has, and whether one of them is in its name or title. */
  words: number;
  named: boolean;
}

export type CallCounts = ReadonlyMap<string, { succeeded: number; failed: number }>;

interface Posting {
  index: number;
  weight: number;
}

export class ToolSearch {
  readonly #tools: readonly ToolDescriptor[];
  readonly #postings = new Map<string, Posting[]>();
  /** Names of several words, whole and without the server's. */
  readonly #names = new Map<string, ToolDescriptor[]>();

  constructor(tools: readonly ToolDescriptor[]) {
    this.#tools = tools;
    tools.forEach((tool, index) => {
      for (const name of new Set([tool.name, tool.name.slice(tool.name.indexOf('__') + 2)]))
        this.#names.set(name.toLowerCase(), [...(this.#names.get(name.toLowerCase()) ?? []), tool]);
      const weights = new Map<string, number>();
      const add = (text: string, weight: number) => {
        for (const word of wordsOf(text)) weights.set(word, Math.max(weight, weights.get(word) ?? 0));
      };
      add(tool.description.slice(0, MAX_DESCRIPTION_CHARS), DESCRIPTION_WEIGHT);
      add(tool.title, TITLE_WEIGHT);
      add(tool.name, NAME_WEIGHT);
      for (const [word, weight] of weights) {
        const known = this.#postings.get(word);
        if (known) known.push({ index, weight });
        else this.#postings.set(word, [{ index, weight }]);
      }
    });
  }

  /** Those the text calls by their names, such as `read_file`; names of one word may mean anything. */
  named(text: string): ToolDescriptor[] {
    const names = text.slice(0, MAX_QUERY_CHARS).toLowerCase().match(COMPOUND) ?? [];
    return [...new Set(names.slice(0, MAX_QUERY_WORDS).flatMap((name) => this.#names.get(name) ?? []))];
  }

  /** Best first; of equals the one that worked more often, then by name. */
  find(query: string, limit: number, counts: CallCounts = new Map()): ToolHit[] {
    const words = [...new Set(wordsOf(query.slice(0, MAX_QUERY_CHARS)))].slice(0, MAX_QUERY_WORDS);
    const scores = new Map<number, { score: number; covered: number; words: number; named: boolean }>();
    let whole = 0;
    for (const word of words) {
      const postings = this.#postings.get(word) ?? [];
      const rarity = Math.log(1 + (this.#tools.length + 1) / (postings.length + 1));
      whole += rarity;
      for (const { index, weight } of postings) {
        const found = scores.get(index) ?? { score: 0, covered: 0, words: 0, named: false };
        found.score += rarity * weight;
        found.covered += rarity;
        found.words += 1;
        found.named ||= weight > DESCRIPTION_WEIGHT;
        scores.set(index, found);
      }
    }
    const hits: ToolHit[] = [];
    for (const [index, { score, covered, words: found, named }] of scores) {
      const tool = this.#tools[index];
      if (!tool) continue;
      const earned = score * (1 + SUCCESS_WEIGHT * record(counts.get(tool.name)));
      hits.push({ tool, score: earned, coverage: covered / whole, words: found, named });
    }
    return hits
      .sort((one, other) => other.score - one.score || (one.tool.name < other.tool.name ? -1 : 1))
      .slice(0, limit);
  }
}

/** -1 for a tool that always failed, 0 for an unknown one, towards 1 for one that works. */
function record(count: { succeeded: number; failed: number } | undefined): number {
  const calls = (count?.succeeded ?? 0) + (count?.failed ?? 0);
  if (!count || calls === 0) return 0;
  return ((count.succeeded - count.failed) / calls) * (calls / (calls + HALF_TRUST_CALLS));
}

function wordsOf(text: string): string[] {
  return (
    foldText(text.replace(/([a-z0-9])([A-Z])/g, '$1 $2'))
      .match(/[\p{L}\p{N}]{2,}/gu)
      ?.map((word) => (word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word))
      .filter((word) => !COMMON.has(word)) ?? []
  );
}

/** They say nothing about what somebody wants. */
const COMMON: ReadonlySet<string> = new Set(
  `about all also an and any are as at be by can could did do does for from get give has have hello help her him how if in
  into is it its just let like me more my no not of on one or our out please so some tell that the them then there these thi
  thing to u up us use using was we what when where which who why will with would you your`.split(/\s+/),
);
