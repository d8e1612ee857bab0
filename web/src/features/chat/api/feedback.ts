// Thumbs under an answer.
import { send } from '../../../lib/http';

export const sendFeedback = (taskId: string, rating: 'up' | 'down', comment?: string) =>
  send('/feedback', { json: { task_id: taskId, rating, ...(comment ? { comment } : {}) } });
