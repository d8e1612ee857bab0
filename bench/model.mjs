// The embedded engine on the real starter model, and llama.cpp's own benchmark on the same file where it is installed.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stream } from './client.mjs';
import { startVenom } from './processes.mjs';

const run = promisify(execFile);
const NAME = 'SmolLM2-135M-Instruct-Q4_1';
const TOKENS = 128;

export async function benchModel(file, dataDir, report) {
  mkdirSync(join(dataDir, 'models'), { recursive: true });
  copyFileSync(file, join(dataDir, 'models', `${NAME}.gguf`));
  const venom = await startVenom({ VENOM_DATA_DIR: dataDir });
  await generate(venom, 'Hello', 8);
  const speeds = [];
  const references = [];
  for (let round = 0; round < 3; round += 1) {
    speeds.push((await generate(venom, 'Tell me a very long story about the sea.', TOKENS)).tokens_per_second);
    references.push(await llamaBench(file));
  }
  const speed = Math.max(...speeds);
  const reference = Math.max(...references.map((value) => value ?? 0));
  const known =
    reference > 0
      ? `${((speed / reference) * 100).toFixed(0)} % of llama-bench (${reference.toFixed(0)} tokens/s)`
      : 'llama-bench is not installed (LLAMA_BENCH names it)';
  report(
    'embedded tokens/s, best of 3',
    `${speed.toFixed(1)} tokens/s, ${known}`,
    '85 %',
    reference > 0 ? speed / reference >= 0.85 : undefined,
  );
  const long = `Remember: ${Array.from({ length: 170 }, (_, index) => `item${index}`).join(' ')}. Say OK.`;
  const first = await generate(venom, long, 8, 'prefix');
  const second = await generate(venom, 'Thanks.', 8, 'prefix');
  const fresh = second.prompt_tokens - second.cached_prompt_tokens;
  report(
    'second turn after a long prompt evaluates',
    `${fresh} of ${second.prompt_tokens} tokens (first: ${first.prompt_tokens})`,
    'what is new',
    fresh < 60,
  );
  await venom.stop();
}

async function generate(venom, content, maxTokens, sessionId = `bench-${Math.random().toString(36).slice(2)}`) {
  await stream(
    venom.port,
    '/api/v1/llm/simple/stream',
    { content, session_id: sessionId, max_tokens: maxTokens, temperature: 0.8, seed: 1 },
    { mark: 'event: content', end: 'event: done' },
  );
  const { messages } = await (await fetch(`${venom.url}/api/v1/sessions/${sessionId}/messages`)).json();
  return messages.at(-1).usage;
}

/** Best figure over thread counts, or undefined without the program. */
async function llamaBench(file) {
  const program = process.env.LLAMA_BENCH ?? 'llama-bench';
  const threads = [...new Set([1, 2, cpus().length])].filter((count) => count <= cpus().length).join(',');
  try {
    const { stdout } = await run(
      program,
      ['-m', file, '-p', '0', '-n', String(TOKENS), '-t', threads, '-r', '2', '-o', 'json'],
      { timeout: 120_000, maxBuffer: 10_000_000 },
    );
    return Math.max(...JSON.parse(stdout).map(({ avg_ts }) => avg_ts));
  } catch {
    return undefined;
  }
}
