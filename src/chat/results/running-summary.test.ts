import { describe, expect, it } from 'vitest';
import type { SessionContextRepository, SessionSummaryText } from '../context/ports.js';
import type { StoredMessage } from '../ports.js';
import type { BackgroundModel } from './ports.js';
import { RunningSummary } from './running-summary.js';

const message = (seq: number, content: string): StoredMessage => ({
  seq,
  sessionId: 's',
  requestId: `r-${seq}`,
  role: seq % 2 === 1 ? 'user' : 'assistant',
  content,
  status: 'complete',
  model: 'm',
  error: null,
  usage: null,
  createdAt: 1,
});

function create(messages: StoredMessage[], model: BackgroundModel | null) {
  let kept: SessionSummaryText | null = null;
  const sessionContext: SessionContextRepository = {
    summary: () => kept,
    saveSummary: async (_sessionId, summary) => {
      kept = summary;
    },
    labels: () => ['private'],
    addLabels: () => {},
    forget: async () => {},
  };
  const summary = new RunningSummary({
    sessions: { messages: () => messages },
    sessionContext,
    model,
    clock: { now: () => 2 },
  });
  return { summary, kept: () => kept };
}

const never = new AbortController().signal;

describe('RunningSummary', () => {
  it('waits until a conversation is long', async () => {
    const { summary } = create([message(1, 'Hi'), message(2, 'Hello')], null);
    expect(await summary.update('s', never)).toBe(false);
  });

  it('condenses what is older than the last messages, on top of the summary before', async () => {
    const prompts: string[] = [];
    const model: BackgroundModel = {
      complete: async ({ prompt, labels }) => {
        expect(labels).toEqual(['private']);
        prompts.push(prompt);
        return { text: `summary ${prompts.length}`, model: 'm' };
      },
    };
    const messages = Array.from({ length: 24 }, (_, index) => message(index + 1, `text ${index + 1}`));
    const { summary, kept } = create(messages, model);
    expect(await summary.update('s', never)).toBe(true);
    expect(kept()).toMatchObject({ text: 'summary 1', upToSeq: 18, madeBy: 'm' });
    expect(await summary.update('s', never)).toBe(false);
    for (let seq = 25; seq <= 40; seq += 1) messages.push(message(seq, `text ${seq}`));
    expect(await summary.update('s', never)).toBe(true);
    expect(kept()?.upToSeq).toBe(34);
    expect(prompts[1]).toContain('Summary so far:\nsummary 1');
    expect(prompts[1]).toContain('user: text 19');
    expect(prompts[1]).not.toContain('text 18');
  });

  it('takes first sentences where the model fails, but not where it was stopped', async () => {
    const failing: BackgroundModel = {
      complete: async () => {
        throw new Error('no model');
      },
    };
    const messages = Array.from({ length: 24 }, (_, index) =>
      message(index + 1, `Point ${index + 1}. And more of it.`),
    );
    const { summary, kept } = create(messages, failing);
    expect(await summary.update('s', never)).toBe(true);
    expect(kept()).toMatchObject({ madeBy: 'heuristic', text: expect.stringContaining('The user: Point 17.') });
    expect(kept()?.text.length).toBeLessThanOrEqual(1_000);
    const stopped = create(messages, failing);
    await expect(stopped.summary.update('s', AbortSignal.abort())).rejects.toThrow('no model');
    expect(stopped.kept()).toBeNull();
  });
});
