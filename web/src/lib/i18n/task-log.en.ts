// The lines of a task's log. In English they are those of the server.
import { LOG_LINES } from '../../../../src/contract/task-log.js';

export const taskLog = Object.fromEntries(Object.entries(LOG_LINES).map(([code, text]) => [`log.${code}`, text]));
