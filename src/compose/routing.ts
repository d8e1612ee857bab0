// Part of the composition: clouds behind the gate, and the router that decides who is asked.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EventSink } from '../chat/ports.js';
import { loadCloudPrices } from '../config/cloud-prices.js';
import type { Settings } from '../config/config.js';
import { StoredPolicies } from '../contract/routing.js';
import type { ModelManager } from '../models/model-manager.js';
import { Budgets } from '../routing/budgets.js';
import { ModelRouter } from '../routing/model-router.js';
import { type CloudProvider, defaultPolicy } from '../routing/policy.js';
import { PolicyStore } from '../routing/policy-store.js';
import type { SensitivityRules } from '../routing/ports.js';
import { type ModelPrice, priceOf } from '../routing/pricing.js';
import { ProviderRest } from '../routing/provider-rest.js';
import { ExitGate } from '../runtimes/cloud/exit-gate.js';
import { CloudKeyStore } from '../storage/cloud-key-store.js';
import { SqliteSpending } from '../storage/sqlite-spending.js';
import { SystemKeyring } from '../storage/system-keyring.js';
import type { StorageRoom } from './storage.js';

export type CloudExit = Awaited<ReturnType<typeof cloudExit>>;
export type RoutingRoom = Awaited<ReturnType<typeof composeRouting>>;

/** What stands before the engines: keys, the gate, and what may not pass it. */
export async function cloudExit(settings: Settings, logger: Logger) {
  const keys = new CloudKeyStore({
    path: join(settings.VENOM_DATA_DIR, 'cloud-keys.json'),
    environment: {
      openai: settings.OPENAI_API_KEY,
      google: settings.GOOGLE_API_KEY,
      'cloud-compatible': settings.CLOUD_COMPATIBLE_API_KEY,
    },
    keyring: settings.CLOUD_KEYS_IN === 'file' ? null : new SystemKeyring(),
    installation: settings.VENOM_DATA_DIR,
    now: Date.now,
    onKeyringFailed: (error) => logger.warn({ err: error }, "the system's keyring was of no use for a cloud's key"),
  });
  // Asks nobody where no key was ever put there.
  await keys.load();
  const sensitivity: SensitivityRules = {
    localOnly: settings.SENSITIVE_DATA_LOCAL_ONLY,
    masking: settings.SENSITIVE_DATA_MASKING,
    imagesMayLeave: settings.SENSITIVE_DATA_IMAGES_MAY_LEAVE,
    options: { terms: settings.SENSITIVE_DATA_TERMS, addresses: settings.SENSITIVE_DATA_ADDRESSES },
  };
  const gate = new ExitGate({
    keys,
    endpoints: {
      openai: settings.OPENAI_CHAT_COMPLETIONS_ENDPOINT.replace(/\/chat\/completions$/, ''),
      google: settings.GOOGLE_MODELS_ENDPOINT.replace(/\/models$/, ''),
      'cloud-compatible': settings.CLOUD_COMPATIBLE_ENDPOINT,
    },
    sensitivity,
    connectTimeoutMs: settings.UPSTREAM_CONNECT_TIMEOUT_SECONDS * 1_000,
    idleTimeoutMs: settings.UPSTREAM_IDLE_TIMEOUT_SECONDS * 1_000,
  });
  const hybrid = gate.providerOf(settings.HYBRID_CLOUD_MODEL)?.provider ?? settings.HYBRID_CLOUD_PROVIDER;
  const high = (provider: CloudProvider, own: string) =>
    provider === settings.HYBRID_CLOUD_PROVIDER && hybrid === provider ? settings.HYBRID_CLOUD_MODEL : own;
  const tiers: Readonly<Record<CloudProvider, { high: string; fast: string }>> = {
    openai: { high: high('openai', settings.OPENAI_GPT4O_MODEL), fast: settings.OPENAI_GPT4O_MINI_MODEL },
    google: { high: high('google', settings.GOOGLE_GEMINI_PRO_MODEL), fast: settings.GOOGLE_GEMINI_FLASH_MODEL },
    'cloud-compatible': {
      high: settings.CLOUD_COMPATIBLE_MODEL || high('cloud-compatible', ''),
      fast: settings.CLOUD_COMPATIBLE_MODEL,
    },
  };
  return { keys, gate, sensitivity, tiers };
}

export interface RoutingParts {
  exit: CloudExit;
  storage: StorageRoom;
  models: ModelManager;
  events: EventSink;
  logger: Logger;
}

export async function composeRouting(settings: Settings, parts: RoutingParts) {
  const { exit, models, events, logger } = parts;
  const { store, state, labels } = parts.storage;
  const prices = await loadCloudPrices(settings.PRICING_FILE_PATH);
  const price = (provider: CloudProvider, model: string): ModelPrice | null =>
    prices.get(`${provider}/${model}`.toLowerCase()) ?? priceOf(prices, model);
  const budgets = new Budgets({
    limits: {
      softPerDayUsd: settings.CLOUD_BUDGET_SOFT_USD_PER_DAY,
      hardPerDayUsd: settings.CLOUD_BUDGET_HARD_USD_PER_DAY,
      softPerMonthUsd: settings.CLOUD_BUDGET_SOFT_USD_PER_MONTH,
      hardPerMonthUsd: settings.CLOUD_BUDGET_HARD_USD_PER_MONTH,
      requestsPerMinute: settings.CLOUD_REQUESTS_PER_MINUTE,
      tokensPerMinute: settings.CLOUD_TOKENS_PER_MINUTE,
    },
    repository: new SqliteSpending(store),
    now: Date.now,
    newId: randomUUID,
    onSoftLimit: (period, spentUsd, limitUsd) => {
      logger.warn({ period, spentUsd, limitUsd }, 'the soft limit of cloud spending is crossed');
      events.publish('BUDGET_WARNING', `Cloud spending of this ${period} is above ${limitUsd} USD.`, {
        period,
        spent_usd: spentUsd,
        limit_usd: limitUsd,
      });
    },
  });
  const policy = new PolicyStore({
    memory: state,
    fallback: defaultPolicy(settings.AI_MODE, {
      complexityThreshold: settings.COMPLEXITY_THRESHOLD_LOCAL,
      costThresholdUsd: settings.COST_THRESHOLD_USD,
    }),
    parse: (stored) => StoredPolicies.parse(stored),
    now: Date.now,
  });
  const rest = new ProviderRest(Date.now);
  const router = new ModelRouter({
    local: {
      target: (name) => models.chatTarget(name),
      knows: async (name) => (await models.find(name)) !== undefined,
      activeCloud: () => models.activeCloud as { provider: CloudProvider; model: string } | null,
    },
    exit: exit.gate,
    labels,
    budgets,
    policy,
    memory: state,
    rest,
    price,
    sensitivity: exit.sensitivity,
    aiMode: settings.AI_MODE,
    forceLocal: settings.FORCE_LOCAL_MODEL,
    cloudProvider: settings.HYBRID_CLOUD_PROVIDER,
    tiers: exit.tiers,
    now: Date.now,
    draw: Math.random,
    wait: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
  });
  return { router, policy, budgets, rest };
}
