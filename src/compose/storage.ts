// Part of the composition: the database, what several rooms keep in it, its copies, and how long its rows are kept.
import { join } from 'node:path';
import type { Logger } from 'pino';
import { StateManager } from '../chat/state/state-manager.js';
import { HistoryRetention } from '../chat/tracing/history-retention.js';
import type { Settings } from '../config/config.js';
import { systemClock } from '../shared/clock.js';
import { backupFolder, backupPath, listBackups, removeBackup } from '../storage/backups.js';
import { DailyBackups } from '../storage/daily-backups.js';
import { cleanableFolders, removeOldFiles } from '../storage/old-files.js';
import { SqliteGoals } from '../storage/sqlite-goals.js';
import { SqlitePictures } from '../storage/sqlite-pictures.js';
import { RESPONSE_DAYS, SqliteResponses } from '../storage/sqlite-responses.js';
import { AgingTasks, AgingTraces } from '../storage/sqlite-retention.js';
import { SqliteSessionLabels } from '../storage/sqlite-session-labels.js';
import { SqliteState } from '../storage/sqlite-state.js';
import { SqliteStore } from '../storage/sqlite-store.js';
import { SqliteTasks } from '../storage/sqlite-tasks.js';
import { removeUnfinished } from '../storage/unfinished-files.js';

const DAY_MS = 86_400_000;

export type StorageRoom = ReturnType<typeof composeStorage>;

/** @throws AppError `store_locked`, `store_newer`, `store_corrupt`, `store_unavailable` */
export function composeStorage(settings: Settings, logger: Logger) {
  const store = new SqliteStore(join(settings.VENOM_DATA_DIR, 'venom.db'));
  removeUnfinished([settings.VENOM_DATA_DIR, backupFolder(store.path)]);
  const state = new StateManager(new SqliteState(store));
  const pictures = new SqlitePictures(store, settings.SESSION_PICTURES_MB * 1_000_000);
  const responses = new SqliteResponses(store);
  const dailyBackups = new DailyBackups(store, (error) => logger.warn({ err: error }, 'the daily backup failed'));
  const retention = new HistoryRetention({
    traces: new AgingTraces(store),
    tasks: new AgingTasks(store),
    responses,
    traceDays: settings.TRACE_RETENTION_DAYS,
    traceBytes: settings.TRACE_RETENTION_MB * 1_000_000,
    taskDays: settings.TASK_RETENTION_DAYS,
    responseDays: RESPONSE_DAYS,
    others:
      settings.ENABLE_RUNTIME_RETENTION_CLEANUP && settings.RUNTIME_RETENTION_DAYS > 0
        ? {
            everyMs: settings.RUNTIME_RETENTION_INTERVAL_MINUTES * 60_000,
            remove: () =>
              removeOldFiles(
                cleanableFolders(settings.VENOM_DATA_DIR, settings.RUNTIME_RETENTION_TARGETS),
                Date.now() - settings.RUNTIME_RETENTION_DAYS * DAY_MS,
              ),
          }
        : undefined,
    clock: systemClock,
    onRemoved: (removed) => logger.info(removed, 'what was too old was deleted'),
    onFailure: (error) => logger.warn({ err: error }, 'what is too old could not be deleted'),
  });
  return {
    store,
    state,
    labels: new SqliteSessionLabels(store, (error) => logger.error({ err: error }, 'a label could not be written')),
    pictures,
    tasks: new SqliteTasks(store, pictures),
    goals: new SqliteGoals(store),
    responses,
    dailyBackups,
    retention,
    /** For people who ask for them. */
    backups: {
      list: () => listBackups(store.path),
      make: () => store.backUp('manual', new Date()),
      pathOf: (name: string) => backupPath(store.path, name),
      remove: (name: string) => removeBackup(store.path, name),
    },
    close(): void {
      state.flush();
      store.close();
    },
  };
}
