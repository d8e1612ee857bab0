import { expect, it } from 'vitest';
import { parseLoad } from './vllm-load.js';

it('adds up the engines of one server and takes the fullest cache', () => {
  const metrics = `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 1.0
vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
vllm:num_requests_waiting_by_reason{engine="0"} 99.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 7.5e-01
`;
  expect(parseLoad(metrics)).toEqual({ running: 3, waiting: 4, kvCacheUsage: 0.75 });
});

it('reads the old name of the cache, and no name at all', () => {
  expect(parseLoad('vllm:num_requests_running 1\nvllm:gpu_cache_usage_perc NaN\n')).toEqual({
    running: 1,
    waiting: 0,
    kvCacheUsage: null,
  });
  expect(parseLoad('process_cpu_seconds_total 4\n')).toBeNull();
});
