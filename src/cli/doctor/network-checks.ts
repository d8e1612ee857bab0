// What lies between Venom and others: the port, proxies, certificate authorities.
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import type { Environment, Settings } from '../../config/config.js';
import { portOwner } from '../../machine/port-owner.js';
import { AppError } from '../../shared/errors.js';
import type { Finding } from './finding.js';

/** @param runningUrl  where Venom runs already, which is how the port should be taken */
export async function checkPort(
  { HOST, PORT }: Pick<Settings, 'HOST' | 'PORT'>,
  runningUrl: string | undefined,
): Promise<Finding> {
  const name = 'Port';
  if (runningUrl !== undefined) return { name, status: 'ok', detail: `Venom runs at ${runningUrl}` };
  const failure = await listenFailure(HOST, PORT);
  if (failure === undefined) return { name, status: 'ok', detail: `${PORT} on ${HOST} is free` };
  if (failure !== 'EADDRINUSE') {
    return {
      name,
      status: 'fail',
      detail: `${PORT} on ${HOST} cannot be opened: ${failure}`,
      mend: 'set HOST and PORT to an address of this machine',
    };
  }
  const owner = await describePortOwner(PORT);
  return {
    name,
    status: 'fail',
    detail: `${PORT} on ${HOST} is taken by ${owner}`,
    mend: 'stop that program, or start with another port: PORT=8010 make start',
  };
}

/** @throws AppError `port_taken` that says by whom, before a server is started only to find that out */
export async function refuseTakenPort({ HOST, PORT }: Pick<Settings, 'HOST' | 'PORT'>): Promise<void> {
  if ((await listenFailure(HOST, PORT)) !== 'EADDRINUSE') return;
  const owner = await describePortOwner(PORT);
  throw new AppError('port_taken', `Port ${PORT} on ${HOST} is taken by ${owner}; stop it or set PORT.`);
}

const describePortOwner = async (port: number): Promise<string> =>
  (await portOwner(port)) ?? 'a program of another user';

/** @returns the error's code, `EADDRINUSE` for a taken port; undefined when it can be opened */
function listenFailure(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}

export function checkProxy(env: Environment): Finding {
  const name = 'Proxy';
  const variables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].filter((variable) => env[variable]);
  if (variables.length === 0) return { name, status: 'ok', detail: 'none is set; downloads go out directly' };
  const wrong = variables.filter(
    (variable) => !URL.canParse(env[variable] ?? '') || !/^https?:/.test(env[variable] ?? ''),
  );
  if (wrong.length > 0) {
    return {
      name,
      status: 'fail',
      detail: `${wrong.join(', ')} is not an http or https URL`,
      mend: `write it as http://host:port: export ${wrong[0]}=http://…`,
    };
  }
  // Never the value: it may hold a user name and a password.
  const hosts = [...new Set(variables.map((variable) => new URL(env[variable] ?? '').host))];
  return { name, status: 'ok', detail: `downloads go through ${hosts.join(', ')} (${variables.join(', ')})` };
}

export function checkCertificates(env: Environment): Finding {
  const name = 'Certificates';
  const extra = env['NODE_EXTRA_CA_CERTS'];
  if (extra) {
    if (isReadable(extra)) return { name, status: 'ok', detail: `NODE_EXTRA_CA_CERTS adds ${extra}` };
    return {
      name,
      status: 'fail',
      detail: `NODE_EXTRA_CA_CERTS names ${extra}, which cannot be read`,
      mend: 'correct the path, or unset the variable',
    };
  }
  const other = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'PIP_CERT'].find((variable) => env[variable]);
  if (other === undefined) return { name, status: 'ok', detail: 'those that come with Node' };
  return {
    name,
    status: 'warn',
    detail: `${other} is set, but Node does not read it`,
    mend: `export NODE_EXTRA_CA_CERTS="$${other}"`,
  };
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
