// venom models show|install|remove|use|activate|rollback|pin|adopt|verify|probe|ps|keep|unload
import type { z } from 'zod';
import type * as Contract from '../../contract/models.js';
import type { CommandContext } from '../command-context.js';
import { installedModel } from '../installed-name.js';
import { followOperation } from '../operation-progress.js';
import { formatBytes, table } from '../terminal.js';

type Loaded = z.output<typeof Contract.LoadedModel>;
type Version = z.output<typeof Contract.Version>;
type Foreign = z.output<typeof Contract.ForeignModel>;
interface Started {
  operation_id?: string;
  message: string;
}

const ACTIVATE_MS = 600_000;
const SEARCH_MS = 30_000;

/** Which engine's model, where two have the name. */
export interface EngineOption {
  runtime?: string;
}

const engineQuery = ({ runtime }: EngineOption): string => (runtime ? `?${new URLSearchParams({ runtime })}` : '');

export async function showModel(context: CommandContext, asked: string, engine: EngineOption): Promise<void> {
  const client = await context.server();
  const { name } = await installedModel(client, asked, engine.runtime);
  const path = `/api/v1/models/${encodeURIComponent(name)}`;
  const query = engineQuery(engine);
  const { capabilities } = await client.get<{ capabilities: Record<string, unknown> & { measured: Measured | null } }>(
    `${path}/capabilities${query}`,
  );
  const { current_values, runtime, also_on } = await client.get<{
    current_values: Record<string, unknown>;
    runtime: string;
    also_on: string[];
  }>(`${path}/config${query}`);
  const lines = [
    `Name            ${name}`,
    `Engine          ${runtime}${also_on.length > 0 ? `; also on ${also_on.join(', ')} (--runtime)` : ''}`,
    `Context         ${capabilities['max_context_length']} tokens`,
    `Quantization    ${capabilities['quantization'] ?? 'unknown'}`,
    `Parameters      ${Object.entries(current_values)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}`,
  ];
  if (capabilities.measured)
    lines.push(
      `Measured        ${capabilities.measured.at}, score ${capabilities.measured.score}${capabilities.measured.tokens_per_second === null ? '' : `, ${capabilities.measured.tokens_per_second} tokens/s`}`,
      ...capabilities.measured.results.map(
        ({ name: probe, status, reason }) => `  ${probe.padEnd(14)}${status}${reason ? ` (${reason})` : ''}`,
      ),
    );
  context.terminal.result({ name, runtime, also_on, capabilities, current_values }, lines.join('\n'));
}

interface Measured {
  at: string;
  score: number;
  tokens_per_second: number | null;
  results: { name: string; status: string; reason: string | null }[];
}

interface Estimate {
  context_length: number;
  conversations: number;
  total_bytes: number;
  verdict: string;
  tokens_per_second: number | null;
}

/** Names with a slash are asked of Hugging Face, others are installed ones. */
export async function showFit(context: CommandContext, name: string, engine: EngineOption): Promise<void> {
  const client = await context.server();
  const path = name.includes('/')
    ? `/api/v1/models/fit?${new URLSearchParams({ name })}`
    : `/api/v1/models/${encodeURIComponent((await installedModel(client, name, engine.runtime)).name)}/fit${engineQuery(engine)}`;
  const answer = await client.get<{ estimates: Estimate[] }>(path, SEARCH_MS);
  const rows = answer.estimates.map((estimate) => [
    String(estimate.context_length),
    String(estimate.conversations),
    formatBytes(estimate.total_bytes),
    estimate.verdict,
    estimate.tokens_per_second === null ? '' : String(estimate.tokens_per_second),
  ]);
  context.terminal.result(answer, table(['CONTEXT', 'CONVERSATIONS', 'MEMORY', 'FITS', 'TOKENS/S'], rows));
}

/** Names with a slash come from Hugging Face, others from Ollama's library, where nobody says otherwise. */
export async function installModel(
  context: CommandContext,
  name: string,
  { runtime, provider = name.includes('/') ? 'huggingface' : 'ollama' }: { runtime?: string; provider?: string },
): Promise<void> {
  const client = await context.server();
  const started = await client.post<Started>('/api/v1/models/registry/install', {
    name,
    provider,
    runtime: runtime ?? (provider === 'ollama' ? 'ollama' : 'llama-cpp'),
  });
  await finish(context, started, `${name} is installed.`);
}

export async function removeModel(context: CommandContext, asked: string, engine: EngineOption): Promise<void> {
  const client = await context.server();
  const { name } = await installedModel(client, asked, engine.runtime);
  const path = `/api/v1/models/${encodeURIComponent(name)}${engineQuery(engine)}`;
  context.terminal.result(await client.delete(path, 60_000), `${name} was removed.`);
}

export async function useModel(context: CommandContext, asked: string, { runtime }: EngineOption): Promise<void> {
  const client = await context.server();
  const { name } = await installedModel(client, asked, runtime);
  const answer = await client.post<Started>('/api/v1/models/switch', { name, runtime });
  context.terminal.result(answer, answer.message);
}

export async function activateModel(context: CommandContext, asked: string, { runtime }: EngineOption): Promise<void> {
  const client = await context.server();
  const { name, provider } = await installedModel(client, asked, runtime);
  context.terminal.note(`Trying ${name} before it answers anybody …`);
  const answer = await client.post<Started>('/api/v1/models/activate', { name, runtime: provider }, ACTIVATE_MS);
  context.terminal.result(answer, answer.message);
}

export async function rollBackModel(context: CommandContext): Promise<void> {
  const client = await context.server();
  const started = await client.post<Started>('/api/v1/models/rollback', {});
  const operation = await followOperation(client, context.terminal, started.operation_id ?? '');
  const version = operation.result?.['version_id'];
  context.terminal.result(operation, `${version ?? operation.model_name} answers again.`);
}

export async function listVersions(context: CommandContext): Promise<void> {
  const client = await context.server();
  const { versions } = await client.get<{ versions: Version[] }>('/api/v1/models/versions');
  const rows = versions.map(({ active, version_id, activated_at, pinned }) => [
    active ? '*' : '',
    version_id,
    activated_at ?? '',
    pinned ? 'pinned' : '',
  ]);
  context.terminal.result(
    { versions },
    rows.length === 0 ? 'No version was activated yet.' : table(['', 'VERSION', 'ACTIVATED', ''], rows),
  );
}

export async function pinVersion(context: CommandContext, id: string, { off }: { off?: boolean }): Promise<void> {
  const client = await context.server();
  const answer = await client.post('/api/v1/models/versions/pin', { version_id: id, pinned: off !== true });
  context.terminal.result(answer, `${id} is ${off ? 'no longer pinned' : 'pinned'}.`);
}

export async function adoptModel(context: CommandContext, id: string | undefined, name?: string): Promise<void> {
  const client = await context.server();
  if (id === undefined) {
    const { models } = await client.get<{ models: Foreign[] }>('/api/v1/models/adoptable', SEARCH_MS);
    const rows = models.map((model) => [
      model.name,
      model.application,
      formatBytes(model.size_bytes),
      model.adopted_as === null ? '' : `here as ${model.adopted_as}`,
      model.id,
    ]);
    context.terminal.result(
      { models },
      rows.length === 0 ? 'No other application holds a model.' : table(['NAME', 'HELD BY', 'SIZE', '', 'ID'], rows),
    );
    return;
  }
  const started = await client.post<Started>('/api/v1/models/adopt', { id, ...(name ? { name } : {}) });
  await finish(context, started, 'It can be used here now.');
}

export async function verifyModel(context: CommandContext, asked: string, { runtime }: EngineOption): Promise<void> {
  const client = await context.server();
  const { name } = await installedModel(client, asked, runtime);
  const started = await client.post<Started>('/api/v1/models/verify', { name, runtime });
  await finish(context, started, `${name} is what was installed.`);
}

export async function probeModel(context: CommandContext, asked: string, engine: EngineOption): Promise<void> {
  const client = await context.server();
  const { name } = await installedModel(client, asked, engine.runtime);
  const started = await client.post<Started>('/api/v1/models/probe', { name, runtime: engine.runtime });
  await followOperation(client, context.terminal, started.operation_id ?? '');
  await showModel(context, name, engine);
}

export async function listLoaded(context: CommandContext): Promise<void> {
  const client = await context.server();
  const { models } = await client.get<{ models: Loaded[] }>('/api/v1/models/loaded');
  const rows = models.map((model) => [
    model.name,
    model.runtime,
    model.size_bytes === null ? '' : formatBytes(model.size_bytes),
    model.answers === null ? '' : String(model.answers),
    model.expires_at ?? 'stays',
  ]);
  context.terminal.result(
    { models },
    rows.length === 0 ? 'No model is in memory.' : table(['NAME', 'ENGINE', 'MEMORY', 'ANSWERS', 'UNTIL'], rows),
  );
}

export async function keepModel(
  context: CommandContext,
  asked: string,
  keepAlive: string,
  { runtime }: EngineOption,
): Promise<void> {
  const client = await context.server();
  const { name } = await installedModel(client, asked, runtime);
  const wanted = keepAlive === 'default' ? '' : keepAlive;
  const answer = await client.post('/api/v1/models/keep-alive', { name, keep_alive: wanted, runtime });
  context.terminal.result(answer, `${name} stays in memory as LLM_KEEP_ALIVE=${wanted || '(the setting)'} says.`);
}

export async function unloadModel(
  context: CommandContext,
  asked: string | undefined,
  { runtime }: EngineOption,
): Promise<void> {
  const client = await context.server();
  if (asked === undefined) {
    const answer = await client.post<Started>('/api/v1/models/unload-all', {});
    context.terminal.result(answer, answer.message);
    return;
  }
  const { name } = await installedModel(client, asked, runtime);
  const started = await client.post<Started>('/api/v1/models/unload', { name, runtime });
  await finish(context, started, `${name} was unloaded.`);
}

async function finish(context: CommandContext, { operation_id }: Started, text: string): Promise<void> {
  if (operation_id === undefined) return context.terminal.result({ success: true }, text);
  const operation = await followOperation(await context.server(), context.terminal, operation_id);
  context.terminal.result(operation, text);
}
