import { describe, expect, it } from 'vitest';
import { ModelTitle, type ModelTitleOptions, titleIn } from './model-title.js';
import type { BackgroundModel } from './ports.js';

const never = new AbortController().signal;
const turn = { prompt: 'How do tides work?', answer: 'The moon pulls the water.' };

function create(changes: Partial<ModelTitleOptions> & { says?: string } = {}) {
  const asked: Parameters<BackgroundModel['complete']>[0][] = [];
  const saved: (string | null)[] = [];
  const title = new ModelTitle({
    model: {
      complete: async (request) => {
        asked.push(request);
        return { text: changes.says ?? '"The Moon and the Tides."', model: 'm' };
      },
    },
    loaded: async () => ({ name: 'm', parameters: 3e9 }),
    mayName: () => saved.length === 0,
    labels: () => ['iban'],
    save: async (_sessionId, text) => void saved.push(text),
    ...changes,
  });
  return { title, asked, saved };
}

describe('ModelTitle', () => {
  it('asks a local model once, with the labels of the session', async () => {
    const { title, asked, saved } = create();
    expect(await title.name('s', turn, never)).toBe(true);
    expect(await title.name('s', turn, never)).toBe(false);
    expect(saved).toEqual(['The Moon and the Tides']);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ onlyLocal: true, labels: ['iban'], sessionId: 's' });
    expect(asked[0]?.prompt).toContain('How do tides work?');
  });

  it.each([
    ['is not in memory', null],
    ['is too small', { name: 'm', parameters: 135_000_000 }],
    ['is too small by its name', { name: 'SmolLM2-0.5B', parameters: null }],
    ['is of a size nobody knows', { name: 'fake-model', parameters: null }],
  ])('leaves the title alone where the model %s', async (_what, model) => {
    const { title, asked, saved } = create({ loaded: async () => model });
    expect(await title.name('s', turn, never)).toBe(false);
    expect({ asked, saved }).toEqual({ asked: [], saved: [] });
  });

  it.each(['Qwen/Qwen2.5-7B-Instruct', 'llama3.2:1b', 'mistral-24b-q4'])('believes the size in %s', async (name) => {
    expect(await create({ loaded: async () => ({ name, parameters: null }) }).title.name('s', turn, never)).toBe(true);
  });

  it('gives up after a failure, but not where it was only put off', async () => {
    const failing = {
      complete: async () => {
        throw new Error('no');
      },
    };
    const { title, saved } = create({ model: failing });
    expect(await title.name('s', turn, never)).toBe(true);
    expect(saved).toEqual([null]);
    const stopped = create({ model: failing });
    await expect(stopped.title.name('s', turn, AbortSignal.abort())).rejects.toThrow('no');
    expect(stopped.saved).toEqual([]);
  });
});

describe('titleIn', () => {
  it.each([
    ['Title: Moon and tides', 'Moon and tides'],
    ['<think>What could it be?</think>\n\n**Księżyc i pływy**\nmore', 'Księżyc i pływy'],
    ['„Mond und Gezeiten“', 'Mond und Gezeiten'],
    ['\u202eevil\u0000 name', 'Evil name'],
    ['Sure, here is a title for it', null],
    ['I think that the user asks about the tides of the sea and of the moon', null],
    ['<think>never ends', null],
    ['See https://example.org', null],
    ['!!', null],
    ['', null],
  ])('%j', (text, title) => {
    expect(titleIn(text)).toBe(title);
  });
});
