// models_*: which models there are, what they take, and how to get, try and use one.
import type { McpServer } from '@modelcontextprotocol/server';
import * as contract from '../../../contract/mcp-tools.js';
import type { FitAdvisor } from '../../../models/fit-advisor.js';
import { modelNotFound } from '../../../models/meant-model.js';
import type { ModelManager } from '../../../models/model-manager.js';
import type { ModelOperation } from '../../../models/model-operation.js';
import type { ModelRegistry } from '../../../models/model-registry.js';
import type { ModelOperations } from '../../../models/operations.js';
import { toCapabilities, toEntry, toItem, toLoaded } from '../../routes/model-shapes.js';
import { toFit } from '../../routes/models-config.js';
import { answering, requireAdministrator, type ToolCaller } from '../tool-result.js';
import { followOperation } from './operations.js';

export interface ModelToolsParts extends ToolCaller {
  models: ModelManager;
  registry: ModelRegistry;
  operations: ModelOperations;
  fit: FitAdvisor;
  onOperation: (listener: (operation: ModelOperation) => void) => () => void;
}

const LOOKS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

export function modelTools(server: McpServer, parts: ModelToolsParts): void {
  const { models, registry, fit } = parts;

  server.registerTool(
    'models_list',
    {
      title: 'Installed models',
      description: 'The models this machine has, and which one is active.',
      inputSchema: contract.NoInput,
      outputSchema: contract.ModelsListResult,
      annotations: LOOKS,
    },
    answering(parts, () => listModels(models)),
  );

  server.registerTool(
    'models_search',
    {
      title: 'Search model catalogues',
      description: 'Finds models that could be installed, at Hugging Face, in the Ollama library or on this machine.',
      inputSchema: contract.ModelsSearchInput,
      outputSchema: contract.ModelsSearchResult,
      annotations: { ...LOOKS, openWorldHint: true },
    },
    answering(parts, async ({ query, provider, limit, page }) => {
      const { items, total, stale, error } = await registry.search(query, provider, limit, page);
      return {
        models: items.map((item) => toEntry(item, registry.isInstalled(item))),
        count: items.length,
        total,
        stale,
        error,
      };
    }),
  );

  server.registerTool(
    'models_show',
    {
      title: 'One model',
      description: 'What an installed model is, where it came from, and what it was measured to be able to do.',
      inputSchema: contract.ModelInput,
      outputSchema: contract.ModelsShowResult,
      annotations: LOOKS,
    },
    answering(parts, ({ name }) => modelCard(parts, name)),
  );

  server.registerTool(
    'models_fit',
    {
      title: 'Will it run here?',
      description: 'Memory a model takes at several context lengths, against what this machine has free.',
      inputSchema: contract.ModelsFitInput,
      outputSchema: contract.ModelsFitResult,
      annotations: { ...LOOKS, openWorldHint: true },
    },
    answering(parts, async ({ name, provider }) =>
      toFit(name, provider === undefined ? await fit.installed(name) : await fit.offered(name, provider)),
    ),
  );

  server.registerTool(
    'models_install',
    {
      title: 'Install a model',
      description:
        'Downloads and verifies a model. It goes on when this call ends; operations_list shows it, operations_cancel stops it.',
      inputSchema: contract.ModelsInstallInput,
      outputSchema: contract.OperationResult,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    },
    answering(parts, async ({ name, provider, runtime, wait }, context) => {
      requireAdministrator(context);
      const engine = runtime ?? (provider === 'ollama' ? 'ollama' : 'llama-cpp');
      const operation = registry.install(name, provider, engine);
      return followOperation(parts, operation, context, { wait, cancel: false });
    }),
  );

  server.registerTool(
    'models_activate',
    {
      title: 'Answer with a model',
      description:
        'Tries a model and, when it can answer, makes it the active one for everybody. When the trial fails, nothing changes.',
      inputSchema: contract.ModelsActivateInput,
      outputSchema: contract.OperationResult,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    answering(parts, async ({ name, runtime }, context) => {
      requireAdministrator(context);
      const found = await models.find(name, runtime);
      if (!found) throw modelNotFound(name);
      const operation = await models.activate(name, found.runtime.provider);
      return followOperation(parts, operation, context, { wait: true, cancel: true });
    }),
  );

  server.registerTool(
    'models_ps',
    {
      title: 'Models in memory',
      description: 'Which models are loaded, how much memory they take and until when they stay.',
      inputSchema: contract.NoInput,
      outputSchema: contract.ModelsLoadedResult,
      annotations: LOOKS,
    },
    answering(parts, async () => ({ models: (await models.loaded()).map(toLoaded) })),
  );
}

async function listModels(models: ModelManager) {
  const [{ models: found, unavailable }, active] = await Promise.all([models.list(), models.activeModel()]);
  const owner = active === null ? undefined : await models.find(active);
  const items = found.map((model) => {
    const { name, provider, size_gb, quantization, chat_compatible } = toItem(model, false);
    return {
      name,
      provider,
      size_gb,
      quantization,
      active: name === active && provider === owner?.runtime.provider,
      chat_compatible,
    };
  });
  return { models: items, count: items.length, active_model: active, unavailable };
}

/** @throws AppError `model_not_found` */
export async function modelCard({ models, registry }: Pick<ModelToolsParts, 'models' | 'registry'>, name: string) {
  const found = await models.find(name);
  if (!found) throw modelNotFound(name);
  const manifest = registry.manifest(name, found.runtime.provider);
  const { path: _, ...item } = toItem(found.model, (await models.activeModel()) === name);
  return {
    ...item,
    source_address: manifest?.source ?? null,
    licence: manifest?.licence ?? null,
    sha256: manifest?.sha256 ?? null,
    installed_at: manifest?.installedAt ? new Date(manifest.installedAt).toISOString() : null,
    capabilities: manifest ? toCapabilities(manifest) : null,
  };
}
