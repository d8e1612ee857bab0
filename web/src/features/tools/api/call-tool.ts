// One call of a tool by hand: of an MCP server, or of a skill.
import { z } from 'zod';
import { CallAnswer } from '../../../../../src/contract/skills';
import { request } from '../../../lib/http';

const McpAnswer = z.object({
  status: z.enum(['success', 'failed']),
  text: z.string(),
  structured: z.unknown(),
  code: z.string().nullable(),
  untrusted: z.boolean(),
  duration_ms: z.number(),
});

export interface CallResult {
  failed: boolean;
  text: string;
  structured: unknown;
  code: string | null;
  untrusted: boolean;
  durationMs: number;
}

export type CallTool = (input: Record<string, unknown>, signal: AbortSignal) => Promise<CallResult>;

export const callMcpTool =
  (name: string): CallTool =>
  async (input, signal) => {
    const answer = await request('/mcp/call', McpAnswer, { json: { tool: name, input }, signal });
    const { status, duration_ms: durationMs, ...rest } = answer;
    return { ...rest, structured: answer.structured ?? null, failed: status === 'failed', durationMs };
  };

/** Whoever presses the button has said yes to this very call. */
export const callSkill =
  (name: string): CallTool =>
  async (input, signal) => {
    const startedAt = performance.now();
    const answer = await request(`/skills/${encodeURIComponent(name)}/call`, CallAnswer, {
      json: { input, approved: true },
      signal,
    });
    return {
      failed: answer.status === 'failed',
      text: answer.text,
      structured: answer.structured ?? null,
      code: answer.error_code,
      untrusted: answer.untrusted,
      durationMs: performance.now() - startedAt,
    };
  };
