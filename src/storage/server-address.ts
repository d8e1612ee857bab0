// Where the server of a data folder can be reached, written into that folder while it runs, so that commands find it whatever
// port it has and however it was started.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileIn = (dataDir: string): string => join(dataDir, 'venom.address');

export function writeServerAddress(dataDir: string, url: string): void {
  const path = fileIn(dataDir);
  writeFileSync(`${path}.part`, `${url}\n`, { mode: 0o600 });
  renameSync(`${path}.part`, path);
}

/** What a killed server leaves here answers nobody any more; whoever reads it has to ask. */
export function readServerAddress(dataDir: string): string | undefined {
  try {
    const url = readFileSync(fileIn(dataDir), 'utf8').slice(0, 500).trim();
    return URL.canParse(url) ? url : undefined;
  } catch {
    return undefined;
  }
}

export function removeServerAddress(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}
