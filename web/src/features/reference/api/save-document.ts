// The document itself as a file, for generators of clients.
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { z } from 'zod';
import { requestAt } from '../../../lib/http';
import { saveFile } from '../../../lib/save-file';

export const useSaveDocument = () =>
  useMutation({
    mutationFn: () => requestAt('/openapi.json', z.unknown()),
    onSuccess: (document) =>
      saveFile(new Blob([JSON.stringify(document, null, 2)], { type: 'application/json' }), 'openapi.json'),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
  });
