// What each mode does with a message, and how much it may spend on it.
import { useQuery } from '@tanstack/react-query';
import { ChatModes } from '../../../../../src/contract/chat-modes';
import { request } from '../../../lib/http';

export const useChatModes = () =>
  useQuery({
    queryKey: ['chat-modes'],
    queryFn: ({ signal }) => request('/chat/modes', ChatModes, { signal }),
    staleTime: 300_000,
  });
