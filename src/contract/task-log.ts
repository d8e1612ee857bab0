// The lines of a task's `logs`, for clients that say them in another language than English.
export { LOG_LINES, readLogLine } from '../chat/tasks/log-lines.js';
