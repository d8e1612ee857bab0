// Whether a request for an import can be taken up at all: names, addresses, and folders that are ours alone.
import { isAbsolute } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { isWithin } from '../../shared/is-within.js';
import type { BundleSource } from './bundle-source.js';
import { checkEnvironmentNames } from './child-environment.js';
import { checkGitAddress, type GitSourceOptions, realPath } from './git-source.js';
import type { ImportRequest } from './import-request.js';
import { SERVER_NAME } from './server-definition.js';

const HEADER_NAME = /^[A-Za-z0-9-]{1,100}$/;

export interface ImportBounds {
  bundles: BundleSource;
  /** Of Venom itself; never given to a server. */
  dataDir: string;
  fileRoots: GitSourceOptions['fileRoots'];
}

/** @throws AppError `invalid_input`, `forbidden` for a folder of ours */
export function checkImport(
  { name, source, grants }: ImportRequest,
  { bundles, dataDir, fileRoots }: ImportBounds,
): void {
  if (!SERVER_NAME.test(name))
    throw new AppError(
      'invalid_input',
      'A name is a small letter, then small letters, digits and single dashes, 40 at most.',
    );
  if (source.kind === 'remote') {
    checkRemote(source.url);
    for (const header of [...Object.keys(source.headers), ...Object.keys(grants.secrets)])
      if (!HEADER_NAME.test(header))
        throw new AppError('invalid_input', `${JSON.stringify(header)} is no name of a header.`);
  } else checkEnvironmentNames([...Object.keys(grants.environment), ...Object.keys(grants.secrets)]);
  if (source.kind === 'bundle') bundles.check(source);
  if (source.kind === 'git') checkGitAddress(source.url, fileRoots);
  for (const folder of [...grants.readable, ...grants.writable]) checkFolder(folder, dataDir);
}

/** Ours stays ours: neither our data nor a folder that holds it is given away. @throws AppError `invalid_input`, `forbidden` */
export function checkFolder(folder: string, dataDir: string): void {
  const path = isAbsolute(folder) ? realPath(folder) : null;
  if (path === null)
    throw new AppError('invalid_input', `${JSON.stringify(folder.slice(0, 200))} is no folder of this machine.`);
  const own = realPath(dataDir) ?? dataDir;
  if (isWithin(path, own) || isWithin(own, path))
    throw new AppError('forbidden', `${folder} holds data of Venom; a server is not given that.`);
}

export function isGiveable(folder: string, dataDir: string): boolean {
  try {
    checkFolder(folder, dataDir);
    return true;
  } catch {
    return false;
  }
}

/** @throws AppError `invalid_input` */
function checkRemote(address: string): void {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new AppError('invalid_input', 'The address of the server cannot be read.');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new AppError('invalid_input', 'A remote server is reached over https:// or http://.');
  if (url.username !== '' || url.password !== '')
    throw new AppError('invalid_input', 'The address holds credentials; store them as a secret.');
}
