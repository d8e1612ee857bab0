// The name of the page in the browser's tab, its history and its bookmarks.
import { useDocumentTitle } from '@mantine/hooks';

export const usePageTitle = (title: string | null | undefined): void =>
  useDocumentTitle(title ? `${title} · Venom` : 'Venom');
