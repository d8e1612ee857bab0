import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { checkMemory, checkNode, checkTools, judgeSpace } from './machine-checks.js';
import { checkCertificates, checkPort, checkProxy, refuseTakenPort } from './network-checks.js';
import { checkEmbeddedRuntime, cpuBuildName } from './runtime-checks.js';

describe('venom doctor', () => {
  it.each([
    ['v20.20.2', 'fail'],
    ['v24.0.0', 'ok'],
    ['v26.10.0', 'ok'],
  ])('judges Node %s as %s', (version, status) => expect(checkNode(version).status).toBe(status));

  it.each([
    [100e6, 'fail'],
    [500e6, 'warn'],
    [5e9, 'ok'],
  ])('judges %i free bytes as %s and says how to mend', (free, status) => {
    expect(judgeSpace(free).status).toBe(status);
    expect(judgeSpace(free).mend === undefined).toBe(status === 'ok');
  });

  it('warns of little memory with the figures', () => {
    expect(checkMemory(700e6, 2e9)).toMatchObject({ status: 'warn', detail: '700 MB available of 2.0 GB' });
  });

  it('names programs that are not on PATH', () => {
    expect(checkTools({ PATH: tmpdir() }).map(({ status }) => status)).toEqual(['warn', 'warn', 'warn']);
  });

  it('names the program that took the port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const finding = await checkPort({ HOST: '127.0.0.1', PORT: port }, undefined);
    const refusal = refuseTakenPort({ HOST: '127.0.0.1', PORT: port });
    await expect(refusal).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    server.close();
    expect(finding).toMatchObject({ status: 'fail', mend: expect.stringContaining('PORT=') });
    expect(finding.detail).toContain(`process ${process.pid}`);
  });

  it('shows where a proxy is and never its password', () => {
    const finding = checkProxy({ HTTPS_PROXY: 'http://anna:secret@proxy.example:3128' });
    expect(finding).toMatchObject({ status: 'ok' });
    expect(finding.detail).toContain('proxy.example:3128');
    expect(JSON.stringify(finding)).not.toContain('secret');
  });

  it('refuses a proxy that is no URL', () => {
    expect(checkProxy({ https_proxy: 'proxy:3128' }).status).toBe('fail');
  });

  it('says that Node does not read the certificates other programs do', () => {
    expect(checkCertificates({ SSL_CERT_FILE: '/etc/ca.pem' })).toMatchObject({
      status: 'warn',
      mend: 'export NODE_EXTRA_CA_CERTS="$SSL_CERT_FILE"',
    });
    expect(checkCertificates({ NODE_EXTRA_CA_CERTS: '/no/such.pem' }).status).toBe('fail');
  });

  it.each([
    ['linux', 'x64', 'linux-x64'],
    ['linux', 'arm', 'linux-armv7l'],
    ['darwin', 'arm64', 'mac-arm64-metal'],
    ['win32', 'x64', 'win-x64'],
  ])('knows the build for %s on %s', (platform, arch, build) => expect(cpuBuildName(platform, arch)).toBe(build));

  it('misses the embedded runtime where it is not installed', () => {
    expect(checkEmbeddedRuntime(tmpdir())).toMatchObject({
      status: 'fail',
      mend: expect.stringContaining('make clean'),
    });
  });
});
