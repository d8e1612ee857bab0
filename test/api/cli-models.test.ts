// `venom models`, `venom runtimes` and `venom operations` against the whole server: what is said of good and of wrong input.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.js';
import { toAppError } from '../../src/shared/errors.js';
import { gguf } from '../stand-ins/gguf.js';
import { type CommandLine, commandLine } from './command-line.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let venom: CommandLine;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  upstream.models.splice(0, upstream.models.length, { id: 'one' }, { id: 'two' });
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_MODEL_NAME: 'one',
    LLM_WARMUP_ON_STARTUP: 'false',
    HF_ENDPOINT: 'http://127.0.0.1:9',
  });
  mkdirSync(join(server.dataDir, 'models'), { recursive: true });
  writeFileSync(join(server.dataDir, 'models', 'file.gguf'), gguf({ dataBytes: 4_000 }));
  venom = commandLine(server);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

/** What a script sees of a refusal. */
async function refusal(...words: string[]): Promise<{ message: string; exit: number }> {
  try {
    await venom.run(...words);
  } catch (thrown) {
    // What commander refuses is wrong usage.
    if (String((thrown as { code?: unknown }).code).startsWith('commander.'))
      return { message: (thrown as Error).message, exit: 2 };
    const { code, message } = toAppError(thrown);
    return { message, exit: exitCodeOf(code) };
  }
  throw new Error(`venom ${words.join(' ')} was not refused`);
}

describe('what is refused is told in one sentence that says what to do', () => {
  const unknown = /^No installed model is called nope; see `venom models list`$/;
  it.each<[string, RegExp, number]>([
    ['models show nope', unknown, 1],
    ['models remove nope', unknown, 1],
    ['models use nope', unknown, 1],
    ['models activate nope', unknown, 1],
    ['models probe nope', unknown, 1],
    ['models verify nope', unknown, 1],
    ['models fit nope', unknown, 1],
    ['models unload nope', unknown, 1],
    ['models keep nope 5m', unknown, 1],
    ['models show one --runtime vllm', /^No installed model is called one on vllm; see/, 1],
    ['models remove one', /^one is the active model; switch to another one first\.$/, 2],
    ['models remove two', /^two belongs to openai-compatible, which removes it itself\.$/, 1],
    ['models verify two', /keeps two itself; there is no file to read here\.$/, 1],
    ['models unload two', /^openai-compatible manages its memory itself\.$/, 1],
    ['models keep file 5x', /^5x is no duration, such as -1, 0, 90s or 10m$/, 2],
    ['models search x', /^Search for at least 2 letters\.$/, 2],
    ['models search tiny -n many', /It is a whole number from 1 to 100\./, 2],
    ['models search tiny -p somewhere', /Allowed choices are huggingface, ollama, python-index, local\./, 2],
    ['models search --license free', /Allowed choices are permissive, restricted, unknown\./, 2],
    ['models search --max-gb none', /It is a number above 0\./, 2],
    ['models install org/model --runtime other', /Allowed choices are llama-cpp, ollama, vllm\./, 2],
    ['models install small', /^There is no Ollama here: start it, or name its address in OLLAMA_ENDPOINT\./, 2],
    ['models install org/model', /cannot be reached\.$/, 1],
    ['models rollback', /^There is no former version to go back to\.$/, 1],
    ['models pin nope', /^There is no version nope\.$/, 1],
    ['models adopt nope', /^No other application holds such a model/, 1],
    ['models lst', /unknown command 'lst'; see `venom models --help`/, 2],
    ['runtimes use nope', /^There is no model server called nope\.$/, 1],
    ['runtimes start nope', /^No engine is called nope; see `venom runtimes list`$/, 1],
    ['runtimes logs nope', /^No engine is called nope; see `venom runtimes list`$/, 1],
    ['runtimes restart llama-cpp', /^llama-cpp is a part of Venom: it starts and stops with it\.$/, 1],
    ['runtimes logs llama-cpp', /writes into its log: see `venom logs`$/, 1],
    ['runtimes stop openai-compatible', /openai-compatible/, 1],
    ['runtimes lst', /unknown command 'lst'; see `venom runtimes --help`/, 2],
    ['operations lst', /unknown command 'lst'; see `venom operations --help`/, 2],
    ['operations list -n 0', /It is a whole number from 1 to 500\./, 2],
    ['operations follow nope', /^There is no operation nope; see `venom operations list`$/, 1],
    ['operations retry nope', /^There is no operation nope; see `venom operations list`$/, 1],
    ['operations cancel nope', /^There is no operation nope; see `venom operations list`$/, 1],
  ])('venom %s', async (words, message, exit) => {
    const refused = await refusal(...words.split(' '));
    expect(refused).toEqual({ message: expect.stringMatching(message), exit });
    expect(refused.message).not.toMatch(/\n|undefined|\[object/);
  });
});

describe('venom models search', () => {
  interface Page {
    models: { model_name: string; fit: { verdict: string }; licence_class: string }[];
    error: string | null;
  }

  it('shows whether models fit, how large they are and their licence, and says which catalogue is silent', async () => {
    const { out, notes } = await venom.run('models', 'search', '--fits');
    expect(out).toMatch(/^NAME +FITS +SIZE +LICENCE +RUNS IN +DOWNLOADS/);
    expect(out).toMatch(/^gemma-3-270m-q4_k_m +yes +253 MB +gemma +llama-cpp/m);
    expect(out).toMatch(/^file +yes .* installed$/m);
    expect(notes).toContain('cannot be reached');
  });

  it('takes the same for a script', async () => {
    const open = await venom.json<Page>('models', 'search', '--license', 'permissive', '--sort', 'size');
    expect(open.models.map(({ model_name }) => model_name)).toEqual(['SmolLM2-135M-Instruct-Q4_1']);
    expect(open).toMatchObject({ models: [{ fit: { verdict: 'good' }, licence_class: 'permissive' }] });
    expect(open.error).toContain('cannot be reached');
    expect(
      (await venom.json<Page>('models', 'search', 'gemma', '--max-gb', '0.1', '-p', 'python-index')).models,
    ).toEqual([]);
    expect(await refusal('models', 'search', 'qwen', '-p', 'ollama')).toEqual({
      message: expect.stringMatching(/cannot be reached\.$/),
      exit: 1,
    });
  });
});

describe('venom operations', () => {
  const ids = async () =>
    (await venom.json<{ operations: { operation_id: string }[] }>('operations', 'list', '-n', '500')).operations.map(
      ({ operation_id }) => operation_id,
    );

  it('takes the beginning of an id as long as it is that of one operation', async () => {
    // Of seventeen ids two begin with the same of sixteen digits.
    for (let count = 0; count < 17; count += 1) await venom.run('models', 'verify', 'file');
    const all = await ids();
    const shared = [...'0123456789abcdef'].find((digit) => all.filter((id) => id.startsWith(digit)).length > 1) ?? '';
    const number = all.filter((id) => id.startsWith(shared)).length;
    expect(await refusal('operations', 'follow', shared)).toEqual({
      message: `${number} operations begin with ${shared}; give more of it.`,
      exit: 2,
    });
    const newest = all[0] as string;
    for (const id of [newest, newest.slice(0, 8)])
      expect((await venom.run('operations', 'follow', id)).out).toBe('verify of file: done.\n');
    expect((await venom.run('operations', 'list', '-n', '1')).out).toContain(newest.slice(0, 8));
    // Nothing at all is no beginning.
    expect((await refusal('operations', 'follow', '')).message).toContain('There is no operation');
  });

  it('tells in one line what became of each, and all of it to who follows', async () => {
    await refusal('models', 'install', 'org/model');
    const { out } = await venom.run('operations', 'list', '-n', '1');
    expect(out.trim().split('\n')).toHaveLength(2);
    expect(out).toMatch(/[0-9a-f]{8}\s+install\s+org\/model\s+failed\s+127\.0\.0\.1:9 cannot be reached\./);
    const [id = ''] = await ids();
    expect((await refusal('operations', 'follow', id.slice(0, 8))).message).toBe('127.0.0.1:9 cannot be reached.');
    expect((await refusal('operations', 'cancel', id.slice(0, 8))).message).toMatch(/has ended: failed/);
    expect((await venom.run('operations', 'retry', id.slice(0, 8))).out).toBe(`${id.slice(0, 8)} runs again.\n`);
  });
});

describe('venom models', () => {
  it('lists, shows, tries, uses and goes back, in words and as JSON', async () => {
    expect((await venom.run('models')).out).toMatch(/\*\s+one\s+openai-compatible/);
    expect((await venom.run('models', 'activate', 'two')).out).toBe('two is the active model.\n');
    // Nobody had chosen `one`, and it is what one goes back to all the same.
    expect((await venom.run('models', 'versions')).out).toMatch(
      /\*\s+openai-compatible\/two@[^\n]*\n\s+openai-compatible\/one@/,
    );
    expect((await venom.run('models', 'rollback')).out).toMatch(/^openai-compatible\/one@.* answers again\.\n$/);
    const tried = await venom.run('models', 'probe', 'two');
    expect(tried.out).toMatch(/Measured .*score [\d.]+/);
    expect(tried.out).toMatch(/json_schema\s+failed \(the answer was no JSON\)/);
    expect(await venom.json('models', 'show', 'two')).toMatchObject({
      name: 'two',
      runtime: 'openai-compatible',
      capabilities: { measured: { score: expect.any(Number) } },
    });
    const { versions } = await venom.json<{ versions: { version_id: string }[] }>('models', 'versions');
    const id = versions.at(-1)?.version_id ?? '';
    expect((await venom.run('models', 'pin', id)).out).toBe(`${id} is pinned.\n`);
    expect((await venom.run('models', 'pin', id, '--off')).out).toBe(`${id} is no longer pinned.\n`);
    expect((await venom.run('models', 'ps')).out).toBe('No model is in memory.\n');
    expect((await venom.run('models', 'unload')).out).toMatch(/^Models were unloaded from/);
    expect((await venom.run('models', 'adopt')).out).not.toBe('');
  });
});

describe('venom runtimes', () => {
  it('lists engines and their health, and has no log of what it did not start', async () => {
    expect((await venom.run('runtimes')).out).toMatch(/\*\s+openai-compatible\s+online/);
    expect((await venom.run('runtimes', 'health')).out).toMatch(/openai-compatible\s+online\s+\d+ ms/);
    const { out, notes } = await venom.run('runtimes', 'logs', 'openai-compatible');
    expect(out.trim()).toBe('');
    expect(notes).toContain('Venom holds no log of it');
    expect(await venom.json('runtimes', 'logs', 'openai-compatible')).toMatchObject({ text: '' });
  });
});
