// The process: settings, compose, listen, close on signal.
import { compose } from './compose.js';
import { loadSettingsWithSources } from './config/config.js';
import { portOwner } from './machine/port-owner.js';
import { AppError } from './shared/errors.js';
import { reachableHost } from './shared/reachable-host.js';
import { removeServerAddress, writeServerAddress } from './storage/server-address.js';

const EXIT_LIMIT_MS = 11_500;

async function main(distDir: string): Promise<void> {
  // What people say lies in these files: also in a folder that was there before, nobody else is to read them.
  process.umask(0o077);
  const loaded = loadSettingsWithSources(process.env, process.cwd());
  const { settings } = loaded;
  const venom = await compose(loaded, { distDir, environment: process.env });

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) process.exit(1);
    stopping = true;
    venom.logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), EXIT_LIMIT_MS).unref();
    removeServerAddress(settings.VENOM_DATA_DIR);
    venom.close().then(
      () => process.exit(0),
      (error) => {
        venom.logger.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('unhandledRejection', (error) => venom.logger.error({ err: error }, 'unhandled rejection'));

  try {
    await venom.http.listen({ host: settings.HOST, port: settings.PORT });
  } catch (error) {
    await venom.close();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new AppError(
        'port_taken',
        `Port ${settings.PORT} on ${settings.HOST} is taken by ${(await portOwner(settings.PORT)) ?? 'another program'}; stop it or set PORT.`,
        { cause: error },
      );
    }
    throw error;
  }
  const address = venom.http.server.address();
  const port = typeof address === 'object' && address ? address.port : settings.PORT;
  const host = settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST;
  try {
    writeServerAddress(settings.VENOM_DATA_DIR, `http://${reachableHost(settings.HOST)}:${port}`);
  } catch (error) {
    // On a full disk what is stored can still be read; commands find this server by its settings.
    venom.logger.warn({ err: error }, 'the address could not be written down');
  }
  process.stdout.write(`${JSON.stringify({ event: 'listening', url: `http://${host}:${port}`, pid: process.pid })}\n`);

  void venom.prepare();
}

/** Resolves when requests are taken. @param distDir  the folder that holds `server/` and `web/` */
export const start = (distDir: string): Promise<void> =>
  main(distDir).catch((error: unknown) => {
    process.stderr.write(`venom: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
