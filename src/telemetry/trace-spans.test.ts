import { describe, expect, it } from 'vitest';
import type { RequestTrace } from '../chat/ports.js';
import type { AnswerReceipt } from '../routing/decision.js';
import { type FinishedRequest, traceSpans } from './trace-spans.js';

const AT = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number) => new Date(AT + ms).toISOString();

const attempt = (outcome: 'ok' | 'failed', startedAt: number, endedAt: number) => ({
  provider: 'google',
  model: 'gemini',
  endpoint: 'https://example.org/v1',
  location: 'cloud' as const,
  bytesSent: 10,
  bytesReceived: 20,
  outcome,
  error: outcome === 'failed' ? 'upstream_timeout' : null,
  startedAt: AT + startedAt,
  endedAt: AT + endedAt,
});

function request(attempts: AnswerReceipt['attempts']): FinishedRequest {
  const trace = {
    requestId: '01a20e0d-0000-7000-8000-000000000000',
    status: 'COMPLETED',
    prompt: 'What?',
    sessionId: 's1',
    createdAt: at(0),
    finishedAt: at(1_000),
    lastActivityAt: AT + 1_000,
    steps: [
      { component: 'User', action: 'submit_request', timestamp: at(1), status: 'ok', details: 'What?' },
      { component: 'DecisionGate', action: 'context_preview', timestamp: at(20), status: 'ok', details: 'What?' },
      { component: 'Tool', action: 'search', timestamp: at(500), status: 'error', details: '{"duration_ms":80}' },
      { component: 'Tool', action: 'odd', timestamp: at(600), status: 'ok', details: 'not json' },
    ],
    error: null,
    firstToken: null,
    generationParams: { temperature: 0.2, stop: 'x' },
  } as unknown as RequestTrace;
  const usage = {
    promptTokens: 7,
    cachedPromptTokens: null,
    completionTokens: 9,
    timeToFirstTokenMs: null,
    durationMs: 1,
    tokensPerSecond: null,
  };
  return {
    trace,
    receipt: { decision: null, ranWith: null, attempts, masked: [], costUsd: 0.5 },
    usage,
    answer: 'That',
  };
}

describe('traceSpans', () => {
  it('makes a span of every engine that was asked, with its own times, and of every tool', () => {
    const spans = traceSpans(request([attempt('failed', 30, 200), attempt('ok', 210, 450)]), { withContent: false });
    expect(spans.map(({ name, startMs, endMs, error }) => [name, startMs - AT, endMs - AT, error])).toEqual([
      ['venom.request', 0, 1_000, null],
      ['venom.context', 1, 20, null],
      ['chat gemini', 30, 200, 'upstream_timeout'],
      ['chat gemini', 210, 450, null],
      ['execute_tool search', 420, 500, 'tool_failed'],
      ['execute_tool odd', 600, 600, null],
    ]);
    expect(spans[3]?.attributes).toMatchObject({
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.usage.output_tokens': 9,
      'server.port': 443,
    });
    expect(spans[2]?.attributes).not.toHaveProperty('gen_ai.usage.output_tokens');
    expect(JSON.stringify(spans)).not.toMatch(/What|That/);
  });

  it('counts tokens once, though several answers made the turn', () => {
    const spans = traceSpans(request([attempt('ok', 1, 2), attempt('ok', 3, 4)]), { withContent: false });
    expect(spans.filter(({ attributes }) => 'gen_ai.usage.input_tokens' in attributes).map(({ name }) => name)).toEqual(
      ['venom.request'],
    );
  });

  it('has the texts where they are wanted', () => {
    const [root] = traceSpans(request([]), { withContent: true });
    expect(root?.attributes['gen_ai.output.messages']).toContain('That');
  });
});
