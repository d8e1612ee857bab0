// What can answer prompts: the embedded runtime, its GPU build, model servers, the starter model.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { STARTER } from '../../catalogs/starter/starter-catalogue.js';
import type { Settings } from '../../config/config.js';
import { gpuBuildName, isGpuBuildInstalled } from '../gpu-build.js';
import { modelsDir } from '../installation.js';
import type { Finding } from './finding.js';

const OLLAMA_DEFAULT = 'http://127.0.0.1:11434';
const ANSWER_WITHIN_MS = 1_500;

export function checkEmbeddedRuntime(packagesDir: string): Finding {
  const name = 'Embedded runtime';
  const build = cpuBuildName();
  try {
    const { version } = JSON.parse(
      readFileSync(join(packagesDir, '@node-llama-cpp', build, 'package.json'), 'utf8'),
    ) as { version: string };
    return { name, status: 'ok', detail: `llama.cpp build ${build} ${version}` };
  } catch {
    return {
      name,
      status: 'fail',
      detail: `its build for this machine (${build}) is missing`,
      mend: 'run `make clean` and `make start`; where there is no such build, set LLM_LOCAL_ENDPOINT to a model server',
    };
  }
}

export function cpuBuildName(platform: string = process.platform, arch: string = process.arch): string {
  if (platform === 'darwin') return arch === 'arm64' ? 'mac-arm64-metal' : 'mac-x64';
  return `${platform === 'win32' ? 'win' : 'linux'}-${arch === 'arm' ? 'armv7l' : arch}`;
}

export async function checkGpu(packagesDir: string): Promise<Finding> {
  const name = 'GPU';
  if (process.platform === 'darwin')
    return { name, status: 'ok', detail: 'Metal is part of the build for Apple silicon' };
  const gpu = await nvidiaGpu();
  if (gpu === null) return { name, status: 'info', detail: 'no NVIDIA GPU was found; models run on the processor' };
  if (gpuBuildName() === null)
    return { name, status: 'info', detail: `${gpu}; there is no CUDA build for this machine` };
  if (isGpuBuildInstalled(packagesDir)) return { name, status: 'ok', detail: `${gpu}; the CUDA build is installed` };
  return {
    name,
    status: 'warn',
    detail: `${gpu} is not used: the CUDA build is not installed`,
    mend: 'run `venom gpu install` (about 600 MB), then `venom stop` and `venom start`',
  };
}

async function nvidiaGpu(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(
      'nvidia-smi',
      ['--query-gpu=name,memory.total', '--format=csv,noheader'],
      { timeout: 5_000 },
    );
    return stdout.trim().split('\n').join('; ') || null;
  } catch {
    return null;
  }
}

const ADDRESSES = ['LLM_LOCAL_ENDPOINT', 'OLLAMA_ENDPOINT', 'VLLM_ENDPOINT', 'LLAMA_SERVER_ENDPOINT'] as const;

export async function checkModelServers(
  settings: Pick<Settings, (typeof ADDRESSES)[number] | 'LLM_LOCAL_API_KEY'>,
): Promise<Finding[]> {
  const named = ADDRESSES.flatMap((setting) => settings[setting].map((address) => ({ setting, address })));
  const findings = await Promise.all(
    named.map(async ({ setting, address }): Promise<Finding> => {
      const answer = await ask(`${address.replace(/\/v1$/, '')}/v1/models`, settings.LLM_LOCAL_API_KEY);
      if (answer === 'ok') return { name: setting, status: 'ok', detail: `${address} answers` };
      return {
        name: setting,
        status: 'warn',
        detail: `${address}: ${answer}`,
        mend: `start that server, or correct ${setting}`,
      };
    }),
  );
  if (named.length === 0 && (await ask(`${OLLAMA_DEFAULT}/api/version`)) === 'ok') {
    findings.push({
      name: 'Ollama',
      status: 'info',
      detail: `it runs at ${OLLAMA_DEFAULT} and is not used`,
      mend: `set LLM_LOCAL_ENDPOINT=${OLLAMA_DEFAULT}/v1 to use its models`,
    });
  } else if (findings.length === 0) {
    findings.push({
      name: 'Model servers',
      status: 'info',
      detail: 'none is set and Ollama does not run; the embedded runtime answers',
    });
  }
  return findings;
}

async function ask(url: string, apiKey?: string): Promise<string> {
  try {
    const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await response.body?.cancel();
    return response.ok ? 'ok' : `HTTP ${response.status}`;
  } catch {
    return 'it does not answer';
  }
}

export function checkStarterModel(settings: Pick<Settings, 'VENOM_DATA_DIR' | 'VENOM_STARTER_MODEL'>): Finding {
  const name = 'Starter model';
  if (existsSync(join(modelsDir(settings.VENOM_DATA_DIR), STARTER.fileName)))
    return { name, status: 'ok', detail: `${STARTER.displayName} is installed` };
  if (settings.VENOM_STARTER_MODEL === 'off')
    return { name, status: 'info', detail: 'switched off (VENOM_STARTER_MODEL=off)' };
  return {
    name,
    status: 'warn',
    detail: 'not installed yet',
    mend: 'run `venom models install starter`, with --path FILE on a machine without internet',
  };
}
