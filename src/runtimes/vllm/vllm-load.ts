// How busy a vLLM server is, from its Prometheus metrics. Pure.
import type { EngineLoad } from '../runtime.js';

const SAMPLE = /^(vllm:[a-z_]+)(?:\{[^}]*\})? (\S+)/gm;

/** Engines of one server (data parallelism) are added up; the fullest cache counts. @returns null when nothing of it is there */
export function parseLoad(metrics: string): EngineLoad | null {
  let running: number | null = null;
  let waiting: number | null = null;
  let kvCacheUsage: number | null = null;
  for (const [, name, text] of metrics.matchAll(SAMPLE)) {
    const value = Number(text);
    if (!Number.isFinite(value)) continue;
    if (name === 'vllm:num_requests_running') running = (running ?? 0) + value;
    else if (name === 'vllm:num_requests_waiting') waiting = (waiting ?? 0) + value;
    // The second is its name before V1 of the engine.
    else if (name === 'vllm:kv_cache_usage_perc' || name === 'vllm:gpu_cache_usage_perc')
      kvCacheUsage = Math.max(kvCacheUsage ?? 0, Math.min(1, Math.max(0, value)));
  }
  if (running === null && waiting === null) return null;
  return { running: running ?? 0, waiting: waiting ?? 0, kvCacheUsage };
}
